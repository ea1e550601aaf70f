"""How long the stages of an attempt take."""

import time
from collections.abc import Callable

from trainingrun.contract import Stage


class StageClock:
    """Wall-clock seconds of each stage; one that comes again goes on."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._stage, self._since = Stage.STARTING, clock()
        self._seconds: dict[Stage, float] = {}

    def begin(self, stage: Stage) -> None:
        """The current stage ends and another begins."""
        self._seconds = self.seconds
        self._stage, self._since = stage, self._clock()

    @property
    def seconds(self) -> dict[Stage, float]:
        """Of each stage so far, the current one included."""
        so_far = self._seconds.get(self._stage, 0.0) + self._clock() - self._since
        return {**self._seconds, self._stage: so_far}
