"""Which samples belong together, for example the pictures of one patient: see `parts`. NumPy only."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainingrun_trainer.errors import bad_data


def number_groups(names: Sequence[str] | NDArray[Any], *, samples: int, where: str) -> NDArray[np.int64]:
    """The number of each sample's group.

    Raises TrainerError (bad data) when there is not one name, or one integer, for each sample.
    """
    written = np.asarray(names)
    flat = written.reshape(-1) if written.size == samples else written
    if flat.shape != (samples,) or not (np.issubdtype(flat.dtype, np.integer) or flat.dtype.kind in "US"):
        raise bad_data(
            f"{where}: groups have the shape {written.shape} and the type {written.dtype}; expected one integer or one name "
            f"for each of {samples} samples."
        )
    numbers: NDArray[np.int64] = np.unique(flat, return_inverse=True)[1].astype(np.int64)
    return numbers
