"""The time that SIGTERM leaves to a worker before the kubelet ends it with SIGKILL."""

import time
from collections.abc import Callable

LAST_WORDS_SECONDS = 5.0
"""Kept back from the ranks, for the agent's own end: tell the others, write the record and the log."""


def patience(grace_period: int) -> float:
    """Seconds that the ranks may take to save their state; half of a grace period that is short."""
    return max(grace_period - LAST_WORDS_SECONDS, grace_period / 2)


class Grace:
    """Begins with the first SIGTERM."""

    def __init__(self, grace_period: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.patience = patience(grace_period)
        self._clock = clock
        self._end: float | None = None

    def begin(self) -> None:
        """SIGTERM has come; another one changes nothing."""
        if self._end is None:
            self._end = self._clock() + self.patience

    @property
    def has_begun(self) -> bool:
        """Whether this worker has been told to stop."""
        return self._end is not None

    @property
    def is_over(self) -> bool:
        """Whether the ranks have had their time."""
        return self._end is not None and self._clock() >= self._end
