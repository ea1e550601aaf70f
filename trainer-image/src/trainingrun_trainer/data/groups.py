"""Which samples belong together, for example the pictures of one patient: see `parts`. NumPy only."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainingrun_trainer.choosing.found import Found
from trainingrun_trainer.errors import bad_data

_LISTED = 5


def number_groups(names: Sequence[str] | NDArray[Any], *, samples: int, where: str, held_out: int = 0) -> NDArray[np.int64]:
    """The number of each sample's group; the last `held_out` samples are those that the user has set aside for validation.

    Raises TrainerError (bad data) when there is not one name, or one integer, for each sample, and when samples of one group
    are set aside for validation and others are not.
    """
    written = np.asarray(names)
    flat = written.reshape(-1) if written.size == samples else written
    if flat.shape != (samples,) or not (np.issubdtype(flat.dtype, np.integer) or flat.dtype.kind in "US"):
        raise bad_data(
            f"{where}: groups have the shape {written.shape} and the type {written.dtype}; expected one integer or one name "
            f"for each of {samples} samples."
        )
    _require_apart(flat[: samples - held_out], flat[samples - held_out :], where=where)
    numbers: NDArray[np.int64] = np.unique(flat, return_inverse=True)[1].astype(np.int64)
    return numbers


def _require_apart(training: NDArray[Any], validation: NDArray[Any], *, where: str) -> None:
    """The network would be praised for knowing them."""
    both = np.intersect1d(training, validation)
    if len(both) == 0:
        return
    raise bad_data(
        f"{where}: {len(both)} groups have samples for training and others for validation, which spec.data keeps apart: "
        f"{', '.join(map(str, both[:_LISTED]))}. Move all samples of a group to one side, or name no groups."
    )


def counted(groups: NDArray[np.int64] | None, parts: Mapping[str, NDArray[np.int64]]) -> dict[str, int]:
    """How many groups each part has, by its name; nothing without groups. Positions beyond `groups` belong to none."""
    if groups is None:
        return {}
    return {name: len(np.unique(groups[positions[positions < len(groups)]])) for name, positions in parts.items()}


def sharing(counts: Mapping[str, int]) -> tuple[Found, ...]:
    """What to say of groups: a validation on one patient says little, however many pictures there are."""
    if not counts:
        return ()
    told = ", ".join(f"{count} for {name}" for name, count in counts.items())
    reason = f"All samples of a group are in one part; of the groups there are {told}."
    return (Found(name="data.groups", value=f"{sum(counts.values())} groups", reason=reason),)
