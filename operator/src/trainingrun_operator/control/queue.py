"""A queue of keys with the guarantees of client-go's work queue.

A key is queued at most once; it is never worked on twice at the same time; a key that is added while it is worked on is worked
on again afterwards; failures are retried after a time that doubles. Nothing is lost and nothing piles up.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from trainingrun_operator.pace import Timing

Key = TypeVar("Key", bound=Hashable)


class WorkQueue(Generic[Key]):
    """Keys to be worked on, now or later. Times are those of the running event loop."""

    def __init__(self, *, timing: Timing, on_taken: Callable[[float], None] = lambda _: None) -> None:
        """`on_taken` is told how many seconds a key has been queued that somebody begins to work on."""
        self._timing = timing
        self._on_taken = on_taken
        self._queued_at: dict[Key, float] = {}
        self._ready: deque[Key] = deque()
        self._dirty: set[Key] = set()
        self._working: set[Key] = set()
        self._later: dict[Key, asyncio.TimerHandle] = {}
        self._failures: dict[Key, int] = {}
        self._changed = asyncio.Event()
        self.idle = asyncio.Event()
        """Set while no key is queued or worked on; keys for later do not count."""
        self.idle.set()

    def __len__(self) -> int:
        return len(self._ready)

    def add(self, key: Key) -> None:
        """Work on the key as soon as possible."""
        if key in self._dirty:
            return
        self._dirty.add(key)
        self.idle.clear()
        if key not in self._working:
            self._append(key)

    def add_after(self, key: Key, seconds: float) -> None:
        """Work on the key in so many seconds; of several wishes the earliest counts."""
        if seconds <= 0:
            self.add(key)
            return
        loop = asyncio.get_running_loop()
        moment = loop.time() + seconds
        waiting = self._later.get(key)
        if waiting is not None and not waiting.cancelled():
            if waiting.when() <= moment:
                return
            waiting.cancel()
        self._later[key] = loop.call_at(moment, self._due, key)

    def retry(self, key: Key, *, at_least: float = 0.0) -> float:
        """Work on the key again after a time that doubles with every failure; returns the seconds."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        seconds = self._timing.retry_seconds * 2.0 ** min(failures, 16)
        seconds = max(at_least, min(self._timing.retry_limit_seconds, seconds))
        self.add_after(key, seconds)
        return seconds

    def forget(self, key: Key) -> None:
        """The key has been worked on without failure."""
        self._failures.pop(key, None)

    async def take(self) -> Key:
        """Wait for a key; `done` must be called with it afterwards."""
        while not self._ready:
            self._changed.clear()
            await self._changed.wait()
        key = self._ready.popleft()
        self._dirty.discard(key)
        self._working.add(key)
        self._on_taken(asyncio.get_running_loop().time() - self._queued_at.pop(key))
        return key

    def done(self, key: Key) -> None:
        """The work on the key is over; if it was added meanwhile, it is queued again."""
        self._working.discard(key)
        if key in self._dirty:
            self._append(key)
        elif not self._ready and not self._working:
            self.idle.set()

    def _append(self, key: Key) -> None:
        self._ready.append(key)
        self._queued_at[key] = asyncio.get_running_loop().time()
        self._changed.set()

    def _due(self, key: Key) -> None:
        self._later.pop(key, None)
        self.add(key)
