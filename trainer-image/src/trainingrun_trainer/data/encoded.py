"""Samples that stay where they are until they are needed: the list of them is in memory, not they."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from trainingrun_trainer.data.arrays import Array
from trainingrun_trainer.data.left_out import LeftOut

Positions = NDArray[np.integer[Any]]


class Encoded(Protocol):
    """A list of encoded samples. Its methods may be called by many threads at once."""

    labels: NDArray[np.int64]
    classes: int
    class_names: tuple[str, ...]
    held_out: int
    """So many samples at the end are for validation, because the data says so."""
    groups: NDArray[np.int64] | None
    """Number of each sample's group, where the data says which belong together."""
    left_out: tuple[LeftOut, ...]
    """What lies among the samples and is none."""
    sha256: str
    """Names the data: see docs/how-to/data.md for what it is taken of."""
    shape: tuple[int, ...]
    """Of one sample, decoded."""
    dtype: np.dtype[Any]

    def __len__(self) -> int:
        """Number of samples."""

    def name(self, position: int) -> str:
        """What the sample at a position is called in errors."""

    def read(self, positions: Positions) -> list[bytes]:
        """The encoded samples at some positions. Raises TrainerError."""

    def decode(self, contents: Sequence[bytes], *, positions: Positions) -> Array:
        """What was read from these positions as [n, *shape].

        Raises TrainerError (bad data) naming the sample: DamagedSamplesError with all of these that cannot be decoded.
        """
