"""Who computes what: each epoch's samples, dealt to the ranks so that every sample counts exactly once. NumPy only.

All ranks take the same number of steps. A rank that has no sample left for a step contributes padding of weight zero, and
gradients are divided by the number of samples that all ranks together have in that step. Padding shows samples again, the first
ones of the epoch: batch normalisation looks at them too.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Shard:
    """One rank's part of one epoch: arrays of shape [steps, batch], and [steps] for `total`."""

    positions: NDArray[np.int32]
    weights: NDArray[np.float32]
    """1 for a sample, 0 for padding."""
    total: NDArray[np.float32]
    """Samples of all ranks together in each step."""

    @property
    def steps(self) -> int:
        """Number of steps, the same on all ranks."""
        return len(self.total)

    @property
    def samples(self) -> int:
        """Number of this rank's samples."""
        return int(self.weights.sum())


def shard(samples: int, *, batch: int, rank: int, size: int, order: NDArray[np.int64] | None = None) -> Shard:
    """The part of `rank` among `size` ranks; `order` is the epoch's permutation, by default the natural order."""
    per_step = batch * size
    steps = -(-samples // per_step)
    dealt = np.resize(np.arange(samples) if order is None else order, steps * per_step)
    counts = np.arange(steps * per_step) < samples
    return Shard(
        positions=dealt.reshape(steps, size, batch)[:, rank, :].astype(np.int32),
        weights=counts.reshape(steps, size, batch)[:, rank, :].astype(np.float32),
        total=counts.reshape(steps, per_step).sum(axis=1).astype(np.float32),
    )


def epoch_order(samples: int, *, seed: int, epoch: int) -> NDArray[np.int64]:
    """The order of an epoch: the same on all ranks, another in every epoch."""
    return np.random.default_rng((seed, epoch)).permutation(samples)


def steps_per_epoch(samples: int, *, batch: int, size: int) -> int:
    """Steps that each rank takes in one epoch."""
    return -(-samples // (batch * size))
