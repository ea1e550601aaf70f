"""How many samples are measured at once: as many as a bound of memory has room for, since training may take far fewer."""

import math

from trainingrun_trainer.data.feed import Feed

MOST_SAMPLES = 256
MOST_BYTES = 64 * 2**20
"""Of the samples as floats, and of the largest tensor that they become in a network."""
_FLOAT_BYTES = 4


def samples_at_once(feed: Feed, *, widest: int = 0, most: int = MOST_SAMPLES) -> int:
    """At least one, at most `most`; `widest` is the bytes of one sample in the largest tensor of a network, if known."""
    return max(1, min(most, MOST_BYTES // max(1, widest, math.prod(feed.shape) * _FLOAT_BYTES)))
