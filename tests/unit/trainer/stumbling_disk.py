"""A file system that stumbles: some calls of this process below some folders fail, and for a while all of them do."""

import builtins
import errno
import io
import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PASSING = (errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.ETIMEDOUT, errno.EMFILE)
_OF_OS = ("open", "pread", "scandir", "listdir", "stat", "mkdir", "unlink", "rename", "replace", "fsync", "fstat")


class StumblingDisk:
    """Every `every`-th call fails with the next of `errors`, and with 0 each kind of call the first time.

    Short reads come back with half of what was asked for.
    """

    def __init__(self, *folders: Path, every: int, errors: Sequence[int] = PASSING, is_short: bool = False) -> None:
        self._roots = tuple(str(folder) for folder in folders)
        self._every, self._errors, self._is_short = every, itertools.cycle(errors), is_short
        self._lock = threading.Lock()
        self._away_until = 0.0
        self._known: set[str] = set()
        self.calls = 0
        self.stumbled = 0
        self.on_call: Callable[[int], None] = lambda number: None
        """Called with the number of each call, counted from 1."""

    def go_away(self, seconds: float) -> None:
        """Fail all calls from now on, for so long."""
        self._away_until = time.monotonic() + seconds

    def wrap(self, call: Callable[..., Any], *, name: str) -> Callable[..., Any]:
        """The call, as this disk does it."""

        def stumbling(*arguments: Any, **options: Any) -> Any:
            if arguments and self._is_mine(arguments[0]):
                self._stumble(name)
                if self._is_short and name == "pread":
                    return call(arguments[0], max(1, arguments[1] // 2), *arguments[2:])
            return call(*arguments, **options)

        return stumbling

    def _is_mine(self, target: Any) -> bool:
        if isinstance(target, int):
            try:
                target = _readlink(f"/proc/self/fd/{target}")
            except OSError:
                return False
        if not isinstance(target, str | os.PathLike):
            return False
        return os.fspath(target).startswith(self._roots)

    def _stumble(self, name: str) -> None:
        with self._lock:
            self.calls += 1
            self.on_call(self.calls)
            is_due = self.calls % self._every == 0 if self._every else name not in self._known
            self._known.add(name)
            if is_due or time.monotonic() < self._away_until:
                self.stumbled += 1
                number = next(self._errors)
                raise OSError(number, os.strerror(number), name)


_readlink = os.readlink


@contextmanager
def mounted(disk: StumblingDisk) -> Iterator[StumblingDisk]:
    """The disk is what the folders are on, for as long as the context lasts."""
    places = [(os, name) for name in _OF_OS] + [(io, "open"), (builtins, "open")]
    before = [(place, name, getattr(place, name)) for place, name in places]
    for place, name, call in before:
        setattr(place, name, disk.wrap(call, name=name))
    try:
        yield disk
    finally:
        for place, name, call in before:
            setattr(place, name, call)
