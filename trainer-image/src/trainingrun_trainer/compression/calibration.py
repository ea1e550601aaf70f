"""Which training samples full integer quantization takes its ranges from."""

import numpy as np
from numpy.typing import NDArray

from trainingrun_trainer.data.feed import Feed
from trainingrun_trainer.data.raw import raw_samples
from trainingrun_trainer.errors import bad_config

MOST_AT_ONCE = 64
"""Samples that are taken from the feed at a time."""


def calibration_samples(feed: Feed, *, count: int, seed: int) -> NDArray[np.float32]:
    """`count` different training samples, [count, *shape], raw; equal seeds choose the same ones.

    They are spread over the data at random, so that classes occur as often as they do in training.
    Raises TrainerError (bad config) when there are fewer.
    """
    require_enough(feed, count=count)
    chosen = np.sort(np.random.default_rng((seed, count)).choice(len(feed), count, replace=False))
    return np.concatenate([samples for samples, _ in raw_samples(feed, batch=MOST_AT_ONCE, positions=chosen)])


def require_enough(feed: Feed, *, count: int) -> None:
    """Raises TrainerError (bad config) when there are fewer than `count` training samples."""
    if count > len(feed):
        raise bad_config(
            f"spec.compression.quantization.calibrationSamples {count} is more than the {len(feed)} training samples that "
            f"there are: ask for at most {len(feed)}."
        )
