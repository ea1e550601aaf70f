"""Arrays of samples as people store them: what a network can take, and what it would misunderstand. Pure; NumPy only.

Nothing is guessed that could be wrong. Whole numbers from 0 to about 255 in images are bytes, whatever type holds them; other
values that are far from 0 to 1 need a word, and so do images whose colours come first: a network would train on them, badly.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainingrun.api import ChannelOrder, LabelGaps
from trainingrun_trainer.choosing.found import Found
from trainingrun_trainer.errors import bad_data

Array = NDArray[np.generic]

BRIGHT = 1.5
"""Values from 0 up to this are taken as they are: they are fractions, give or take what interpolation adds."""
BRIGHTEST, DARKEST = 255, 128
"""Where the largest value is between these, dividing by 255 brings all to 0 to 1, and to at least a half of that."""
DIM = 15
"""Bytes up to this are no shades of 256, but classes, counts, or black and white."""
SPREAD = 10.0
"""Root mean square up to which values of both signs are taken as they are: standardised ones have about 1."""
_EXACT = 2**24
"""Larger integers are not all floats of 32 bits."""
_CHANNELS = (1, 3)
_MOST_CHANNELS = 4


@dataclass(frozen=True)
class ArrayRules:
    """What spec says of arrays, and the block that says it."""

    block: str
    channels: ChannelOrder | None = None
    divisor: float | None = None
    gaps: LabelGaps = LabelGaps.REFUSE


class Samples(NamedTuple):
    """Bytes or floats of 32 bits, [samples, features] or [samples, height, width, channels]."""

    inputs: Array
    divisor: float | None = None
    """What brings the values to about 0 to 1, if it is not the usual one of their type."""
    found: tuple[Found, ...] = ()
    """What has been decided from the values."""


def take_samples(inputs: Array, *, where: str, rules: ArrayRules) -> Samples:
    """The samples of an array; `where` names its file in errors.

    Raises TrainerError (bad data): a shape or type that is no sample, NaN, or values that say nothing without a word in spec.
    """
    _require_numbers(inputs, where=where)
    if inputs.ndim == 3:
        inputs = inputs[..., np.newaxis]
    if inputs.ndim not in (2, 4) or 0 in inputs.shape[1:]:
        raise bad_data(
            f"{where}: samples have the shape {inputs.shape[1:]}; expected [features], [height, width] or "
            "[height, width, channels]."
        )
    inputs = _channels_last(inputs, where=where, rules=rules)
    if inputs.dtype == np.uint8:
        return _bytes(np.ascontiguousarray(inputs), where=where, rules=rules)
    stored = _as_floats(inputs, where=where)
    return _on_scale(stored, kind=inputs.dtype, where=where, rules=rules)


def require_finite(inputs: Array, *, name: Callable[[int], str], written: Array | None = None) -> None:
    """Raises TrainerError (bad data) naming the first sample that has a NaN or an infinite value; `written` is how it was."""
    if inputs.dtype == np.uint8:
        return
    broken = np.flatnonzero(~np.isfinite(inputs.reshape(len(inputs), -1)).all(axis=1))
    if len(broken) > 0:
        values = inputs[broken[0]].ravel()
        place = int(np.flatnonzero(~np.isfinite(values))[0])
        value = values[place] if written is None else written[broken[0]].ravel()[place]
        raise bad_data(
            f"{name(int(broken[0]))} has the value {value} at place {place}; expected finite numbers of 32 bits. Replace what "
            "is missing, or leave the sample out."
        )


def require_exact(stored: NDArray[np.float32], *, name: Callable[[int], str], written: Array) -> None:
    """Raises TrainerError (bad data) naming the first sample with an integer that has become another one."""
    if written.dtype.kind not in "iu" or max(-int(written.min()), int(written.max())) <= _EXACT:
        return
    changed = np.argwhere(stored.astype(np.float64) != written.astype(np.float64))
    if len(changed) > 0:
        place = tuple(int(each) for each in changed[0])
        raise bad_data(
            f"{name(place[0])} has the value {written[place]}, which a network would see as {stored[place]:.0f}: floats of 32 "
            "bits hold integers up to 16777216. Subtract what is common to all, leave identifiers out, or store floats if the "
            "last digits mean nothing."
        )


def _require_numbers(inputs: Array, *, where: str) -> None:
    kind = inputs.dtype
    if kind.kind in "iufb":
        return
    way_out = {
        "c": "A part of them would be lost: store real and imaginary part, or magnitude and phase, as channels of their own.",
        "O": "Store one array of numbers, in which all samples have the same shape.",
        "V": "Store the fields as one array of numbers (`numpy.lib.recfunctions.structured_to_unstructured`).",
        "M": "Store numbers, for example the seconds since a first moment.",
        "m": "Store numbers, for example of seconds.",
    }
    raise bad_data(f"{where}: samples are of type {kind}; expected numbers. {way_out.get(kind.kind, 'Store numbers.')}")


def _channels_last(inputs: Array, *, where: str, rules: ArrayRules) -> Array:
    if inputs.ndim != 4 or rules.channels is ChannelOrder.LAST:
        return inputs
    if rules.channels is ChannelOrder.FIRST:
        return np.moveaxis(inputs, 1, -1)
    first, height, width = inputs.shape[1:]
    if width > _MOST_CHANNELS and (first in _CHANNELS or first < height == width):
        raise bad_data(
            f"{where}: samples have the shape ({first}, {height}, {width}), which looks like {height} x {width} pixels behind "
            f"their {first} channels; expected [height, width, channels]. Set spec.data.{rules.block}.channels to First, or to "
            f"Last where there are {width} channels."
        )
    return inputs


def _bytes(inputs: Array, *, where: str, rules: ArrayRules) -> Samples:
    highest = int(inputs.max()) if inputs.ndim == 4 and rules.divisor is None else 0
    if 0 < highest <= DIM:
        raise bad_data(
            f"{where}: images have values up to {highest}, as bytes, which are divided by 255: a network would see next to "
            f"nothing. Say in spec.data.{rules.block}.divisor what they are divided by instead, for example {highest}."
        )
    return Samples(inputs, divisor=rules.divisor)


def _as_floats(inputs: Array, *, where: str) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):  # what becomes infinite is said below
        stored = np.ascontiguousarray(inputs, dtype=np.float32)
    require_finite(stored, name=lambda position: f"{where}: sample {position}", written=inputs)
    require_exact(stored, name=lambda position: f"{where}: sample {position}", written=inputs)
    return stored


def _on_scale(stored: NDArray[np.float32], *, kind: np.dtype[Any], where: str, rules: ArrayRules) -> Samples:
    """Floats with the divisor that they need; vectors have none, for their columns are of different kinds."""
    if rules.divisor is not None or stored.ndim == 2 or kind.kind == "b":
        return Samples(stored, divisor=rules.divisor)
    low, high = float(stored.min()), float(stored.max())
    if (low >= 0 and high <= BRIGHT) or (low < 0 and _spread(stored) <= SPREAD):
        return Samples(stored)
    field = f"data.{rules.block}.divisor"
    if low >= 0 and DARKEST <= high <= BRIGHTEST:
        found = Found(
            name=field,
            value=f"{BRIGHTEST}",
            reason=f"The images have values from {low:g} to {high:g}, as {kind}: they are divided by {BRIGHTEST}, as bytes "
            f"are. Set spec.{field} if they mean something else.",
        )
        is_whole = bool((stored == np.rint(stored)).all())
        taken = Samples(stored.astype(np.uint8)) if is_whole else Samples(stored, divisor=float(BRIGHTEST))
        return taken._replace(found=(found,))
    raise bad_data(
        f"{where}: images have values from {low:g} to {high:g}, as {kind}; networks expect about 0 to 1. Say in spec.{field} "
        f"what they are divided by, for example {math.ceil(max(high, -low))}, or 1 to take them as they are."
    )


def _spread(values: NDArray[np.float32]) -> float:
    """Root mean square."""
    return float(np.linalg.norm(values.ravel()) / np.sqrt(values.size))
