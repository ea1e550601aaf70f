"""The protocol of a gang of ranks. `sum` and what stands below it must be called by all ranks, in the same order."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Tensor = Any
Variable = Any
Step = Callable[[tuple[Tensor, ...], tuple[Tensor, ...]], Tensor]
"""(tensors with a row for each sample, other tensors) trains inside a graph, and returns sums over the samples."""


class Gang(Protocol):
    """The ranks of an attempt, as one of them sees them."""

    @property
    def rank(self) -> int:
        """Own number, from 0."""

    @property
    def size(self) -> int:
        """Number of ranks."""

    @property
    def devices(self) -> int:
        """Devices of this rank, each of which takes a batch of its own in every step."""

    @property
    def host(self) -> "Gang":
        """The gang for what is not trained on the devices: itself, unless they are of a kind of their own."""

    def scope(self) -> AbstractContextManager[object]:
        """Variables that are made in it live on the devices."""

    def on_devices(self, step: Step) -> Step:
        """The same for the samples of all devices; used inside a graph, on variables of the scope."""

    def sum_gradients(self, gradients: Sequence[Tensor]) -> list[Tensor]:
        """Element-wise sums over all devices of all ranks; used inside a graph, within a step."""

    def sum(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Element-wise sums over all ranks."""

    def gather(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The vectors of all ranks, [size, n]."""

    def broadcast(self, variables: Sequence[Variable]) -> None:
        """Give all ranks the values that rank 0 has."""

    def broadcast_bytes(self, data: bytes) -> bytes:
        """What rank 0 passed, on all ranks."""
