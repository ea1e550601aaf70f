"""Many steps in calls of about half a second, with a look at the world in between.

All ranks take the same calls: how long the next one is, and whether to stop, are agreed on with what the steps have measured.
So whatever follows a call, a report of progress above all, is about work that all ranks have done.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainingrun_trainer.context import Context
from trainingrun_trainer.data.feed import Batches, Feed
from trainingrun_trainer.data.shard import Shard

FIRST_CALL_STEPS = 2
SECOND_CALL_STEPS = 10
"""At most, because the first call's time is not all steps: it also traces the graph."""
MOST_STEPS = 100_000
CALL_SECONDS = 0.5
"""How long a call should take. It takes longer only where a step does: each call has one step at least, the first has two."""


@dataclass(frozen=True)
class Call:
    """What a call has done."""

    end: int
    """Steps done since step 0."""
    steps: int
    seconds: float
    """How long rank 0 took; the same number on all ranks."""
    sums: NDArray[np.float64]
    """Over its steps and all ranks: loss, correct answers, samples."""
    is_told: bool
    """Whether any rank has been told to stop."""


class CallLength:
    """How many steps one call takes, agreed by all ranks: about `CALL_SECONDS`' worth, as rank 0 measures; at most `most`."""

    def __init__(self, most: int = MOST_STEPS) -> None:
        self.steps = min(FIRST_CALL_STEPS, most)
        self._most = most
        self._is_first = True

    def wish(self, *, steps: int, seconds: float) -> float:
        """Steps of the next call, after one of `steps` steps that took `seconds`."""
        most = SECOND_CALL_STEPS if self._is_first else 2 * self.steps
        return float(max(1, min(most, self._most, round(steps * CALL_SECONDS / max(seconds, 1e-3)))))

    def agree(self, steps: int) -> None:
        """What rank 0 wished."""
        self.steps, self._is_first = steps, False


def in_calls(
    context: Context, run: Callable[[Batches, int], Any], feed: Feed, shard: Shard, *, first: int, length: CallLength
) -> Iterator[Call]:
    """Take the steps of a shard from `first` on; `run(batches, first)` takes some and returns this rank's sums."""
    gang = context.gang
    with feed.deal(shard, first=first) as dealer:
        while first < shard.steps:
            steps = min(shard.steps - first, length.steps, dealer.most_steps)
            started = time.monotonic()
            sums = np.asarray(run(dealer.take(steps), first), dtype=np.float64)
            seconds = time.monotonic() - started
            told = float(context.is_interrupted())
            wish = length.wish(steps=steps, seconds=seconds)
            measured = [wish, seconds] if context.is_chief else [0.0, 0.0]
            total = gang.sum(np.array([*sums, told, *measured]))
            length.agree(int(total[4]))
            first += steps
            yield Call(end=first, steps=steps, seconds=total[5], sums=total[:3], is_told=bool(total[3] > 0))
