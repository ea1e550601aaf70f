"""Proof that the ranks train together: equal trainable weights on all of them.

With a framework that bypasses the averaging (Keras 3 does so silently) the ranks would train apart, and nobody would notice.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trainingrun.contract import Cause
from trainingrun_trainer.errors import failed
from trainingrun_trainer.parallel.gang import Gang, Variable

TOLERANCE = 1e-4
"""Largest relative difference of the checksums: sums of floats in another order differ by less."""


def check_equal_weights(gang: Gang, weights: Sequence[Variable], *, when: str) -> None:
    """Compare checksums of the trainable weights over all ranks.

    Raises TrainerError (WeightsDiverged) on every rank, naming those that differ from rank 0.
    """
    sums = gang.gather(checksum([np.asarray(weight) for weight in weights]))
    if not np.isfinite(sums).any(axis=1).any():
        return  # all ranks have lost their numbers together: the loss says so, and names the learning rate
    scale = np.abs(sums).max(axis=0) + 1e-12
    difference = (np.abs(sums - sums[0]) / scale).max(axis=1)
    strangers = np.flatnonzero(~(difference <= TOLERANCE))
    if len(strangers) > 0:
        raise failed(
            f"The trainable weights of ranks {', '.join(map(str, strangers))} differ from those of rank 0 {when}, by "
            f"{difference.max():.1e} of their size: the gradients were not averaged over all ranks.",
            cause=Cause.WEIGHTS_DIVERGED,
            hint="This is a defect of the trainer image, or of code in it that changes how Keras applies gradients.",
        )


def checksum(weights: Sequence[NDArray[np.float32]]) -> NDArray[np.float64]:
    """The sum of magnitudes of each weight tensor, and a sum in which the order counts, as one vector."""
    flat = [np.asarray(weight, dtype=np.float64).ravel() for weight in weights]
    magnitudes = [np.abs(values).sum() for values in flat]
    ordered = [values @ np.linspace(1.0, 2.0, len(values)) for values in flat]
    return np.asarray(magnitudes + ordered, dtype=np.float64)
