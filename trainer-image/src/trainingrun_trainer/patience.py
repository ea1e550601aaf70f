"""How long what may pass is borne: one policy for volumes, object stores and web servers.

What does not go is tried again after a pause: up to 0.2 s at first and twice as much each time, to a twentieth of the
patience. How much of that is drawn, so that a hundred ranks do not come back in the same moment (full jitter: M. Brooker,
Exponential Backoff And Jitter, 2015). Patience is counted from the first failure of each object: a long transfer may fail at
its end.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, TypeVar

from trainingrun_trainer.errors import interrupted

PATIENCE_SECONDS = 300.0
"""Of a rank, where `Settings` say nothing else: a server may be upgraded or move to another node."""
BRIEF_SECONDS = 10.0
"""Of whoever has nothing to lose: the agent with its log."""
FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE = 1 / 20
_UNSAID = 1 / 60
"""Part of the patience after which the log says what is waited for; what passes sooner is not worth a line."""
_SIGN_SECONDS = 1.0
"""Between two signs of life, and two looks at whether the pod has been told to stop."""

Answer = TypeVar("Answer")


def _nothing() -> None:
    """Nobody is told."""


@dataclass(frozen=True)
class Patience:
    """How long, and what is done meanwhile; shared by all threads of a process."""

    seconds: float = BRIEF_SECONDS
    is_told: Callable[[], bool] = lambda: False
    """Whether the pod has been told to stop."""
    alive: Callable[[], None] = _nothing
    """Called about once a second while something is waited for."""
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random
    _waiters: "_Waiters" = field(default_factory=lambda: _Waiters(), repr=False, compare=False)

    def bear(self, question: Callable[[], Answer], *, may_pass: Callable[[Exception], bool], what: str) -> Answer:
        """Ask until there is an answer. Raises what the question raises: at once, or when patience is at an end."""
        with self.trouble(what) as trouble:
            while True:
                try:
                    return question()
                except Exception as problem:
                    if not may_pass(problem) or not trouble.wait(problem):
                        raise

    def trouble(self, what: str) -> "Trouble":
        """What there may be with `what`, as people are told it; a context, whose end is that of the trouble."""
        return Trouble(self, what)

    def pause(self, tries: int) -> float:
        """Seconds until the next try after so many."""
        return self.chance() * min(self.seconds * _LONGEST_PAUSE, FIRST_PAUSE_SECONDS * 2.0**tries)


class Trouble:
    """Something that does not go."""

    def __init__(self, patience: Patience, what: str) -> None:
        self._patience, self._what = patience, what
        self._was_told = patience.is_told()
        self._since: float | None = None
        self._tries = 0
        self._is_said = False

    @property
    def seconds(self) -> float:
        """Since the first failure."""
        return 0.0 if self._since is None else self._patience.clock() - self._since

    def wait(self, problem: BaseException, *, seconds: float | None = None) -> bool:
        """Pause before the next try; False after so many seconds, by default when patience is at an end.

        Raises TrainerError (Interrupted) when the pod is told to stop meanwhile. What begins after that, the saving of the
        state, is tried for as long as the pod is let live.
        """
        if self._since is None:
            self._since = self._patience.clock()
        most = self._patience.seconds if seconds is None else seconds
        left = most - self.seconds
        if left <= 0:
            return False
        if not self._is_said and self.seconds > self._patience.seconds * _UNSAID:
            self._is_said = True
            self._patience._waiters.enter(self._what, problem, seconds=most)
        self._pause(min(left, self._patience.pause(self._tries)))
        self._tries += 1
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        if self._is_said:
            self._patience._waiters.leave(self._what, seconds=self.seconds, is_answered=kind is None)

    def _pause(self, seconds: float) -> None:
        patience = self._patience
        until = patience.clock() + seconds
        while True:
            if patience.is_told() and not self._was_told:
                raise interrupted(
                    f"Told to stop while {self._what} did not answer; what has been done since the last checkpoint is lost."
                )
            patience.alive()
            left = until - patience.clock()
            if left <= 0:
                return
            patience.sleep(min(left, _SIGN_SECONDS))


class _Waiters:
    """Who waits for what: the log says it once, however many threads do."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def enter(self, what: str, problem: BaseException, *, seconds: float) -> None:
        """One more waits."""
        with self._lock:
            self._counts[what] += 1
            if self._counts[what] == 1:
                words = " ".join(str(problem).split()) or type(problem).__name__
                print(f"{what} does not answer, and is tried for up to {seconds:g} s: {words}", flush=True)

    def leave(self, what: str, *, seconds: float, is_answered: bool) -> None:
        """One less does."""
        with self._lock:
            self._counts[what] -= 1
            if self._counts[what] == 0 and is_answered:
                print(f"{what} answers again, after {seconds:.0f} s", flush=True)
