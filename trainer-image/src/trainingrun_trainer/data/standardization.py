"""Mean and deviation of each feature, of all training samples and of no others. All ranks find the same."""

from collections.abc import Iterator

import numpy as np

from trainingrun.api import NormalizationType
from trainingrun_trainer.context import Context
from trainingrun_trainer.data.feed import Feed, InMemory
from trainingrun_trainer.data.normalization import Normalization, Statistics
from trainingrun_trainer.data.raw import raw_samples
from trainingrun_trainer.data.rounds import together
from trainingrun_trainer.errors import bad_config

BYTES_AT_ONCE = 2**22
"""Of samples, as floats."""
_FLOAT_BYTES = 4


def normalization_of(context: Context, training: Feed) -> Normalization:
    """What `spec.data.normalization` makes of samples: by default they are only brought to about 0 to 1.

    All ranks must call this. Raises TrainerError (bad config) when pictures are to be standardised.
    """
    if context.config.data.normalization is not NormalizationType.STANDARDIZE:
        return training.normalization
    if len(training.shape) != 1:
        raise bad_config(
            f"spec.data.normalization Standardize is for vectors of features, but the samples have the shape "
            f"{list(training.shape)}: remove it."
        )
    work = _Work(context, training)
    together(context, work.run())
    found = Statistics.none(training.shape[0])
    for encoded in context.gang.gather(work.found.encode()):
        found = found.joined(Statistics.decode(encoded))
    return found.standardization()


class _Work:
    """One rank's part."""

    def __init__(self, context: Context, training: Feed) -> None:
        self.found = Statistics.none(training.shape[0])
        self._feed = training
        # What every rank has in memory rank 0 counts alone: so no digit depends on how many ranks there are.
        rank, size = context.gang.rank, context.gang.size
        self._positions = (
            np.arange(len(training) if rank == 0 else 0)
            if isinstance(training, InMemory)
            else np.arange(rank, len(training), size)
        )

    def run(self) -> Iterator[None]:
        """Read them, in many steps."""
        if len(self._positions) == 0:
            return
        batch = max(1, BYTES_AT_ONCE // (_FLOAT_BYTES * self._feed.shape[0]))
        for samples, _ in raw_samples(self._feed, batch=batch, positions=self._positions):
            self.found = self.found.joined(Statistics.of(samples))
            yield
