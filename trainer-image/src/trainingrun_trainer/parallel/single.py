"""One process alone."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trainingrun_trainer.parallel.gang import Tensor, Variable


class SingleProcess:
    """A gang of one: see `Gang`."""

    rank = 0
    size = 1

    def sum_gradients(self, gradients: Sequence[Tensor]) -> list[Tensor]:
        """The gradients themselves."""
        return list(gradients)

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
