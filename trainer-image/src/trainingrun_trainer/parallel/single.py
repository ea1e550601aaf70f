"""One process alone."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trainingrun_trainer.parallel.gang import Tensor, Variable
from trainingrun_trainer.parallel.one_device import OneDevice


class OneRank:
    """The part of a `Gang` that is about other ranks, of which there are none."""

    rank = 0
    size = 1

    def sum(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The values themselves."""
        return values

    def gather(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The only vector."""
        return values[np.newaxis]

    def broadcast(self, variables: Sequence[Variable]) -> None:
        """Nothing: there is nobody else."""

    def broadcast_bytes(self, data: bytes) -> bytes:
        """The data itself."""
        return data


class SingleProcess(OneRank, OneDevice):
    """A gang of one on one device: see `Gang`."""

    def sum_gradients(self, gradients: Sequence[Tensor]) -> list[Tensor]:
        """The gradients themselves."""
        return list(gradients)
