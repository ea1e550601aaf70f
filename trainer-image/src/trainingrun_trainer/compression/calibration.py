"""Which training samples full integer quantization takes its ranges from."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from trainingrun_trainer.data.at_once import samples_at_once
from trainingrun_trainer.data.feed import Feed
from trainingrun_trainer.data.raw import raw_samples

MOST_AT_ONCE = 64
"""Samples that are taken from the feed at a time."""


class Calibration:
    """`count` different training samples, raw, each [*shape]; equal seeds choose the same ones, however often they are taken.

    All of them where there are no more. They are spread over the data at random, so that classes occur as often as they do in
    training. Only those that are taken at a time are in memory. Raises TrainerError: what reading samples does.
    """

    def __init__(self, feed: Feed, *, count: int, seed: int) -> None:
        self._feed = feed
        self._chosen = np.sort(np.random.default_rng((seed, count)).choice(len(feed), min(count, len(feed)), replace=False))

    def __len__(self) -> int:
        return len(self._chosen)

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        """One after the other."""
        at_once = samples_at_once(self._feed, most=MOST_AT_ONCE)
        for samples, _ in raw_samples(self._feed, batch=at_once, positions=self._chosen):
            yield from samples
