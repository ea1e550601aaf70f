"""The protocol of a gang of ranks. Every method but `rank` and `size` must be called by all ranks, in the same order."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Tensor = Any
Variable = Any


class Gang(Protocol):
    """The ranks of an attempt, as one of them sees them."""

    @property
    def rank(self) -> int:
        """Own number, from 0."""

    @property
    def size(self) -> int:
        """Number of ranks."""

    def sum_gradients(self, gradients: Sequence[Tensor]) -> list[Tensor]:
        """Element-wise sums over all ranks; used inside a graph."""

    def sum(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Element-wise sums over all ranks."""

    def gather(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The vectors of all ranks, [size, n]."""

    def broadcast(self, variables: Sequence[Variable]) -> None:
        """Give all ranks the values that rank 0 has."""

    def broadcast_bytes(self, data: bytes) -> bytes:
        """What rank 0 passed, on all ranks."""
