"""The folder of all that takes long to build. Standard library only."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def cache_folder() -> Path:
    """Where built programs, images, wheels and clusters are kept: outside of the checkout."""
    chosen = os.environ.get("TRAININGRUN_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "trainingrun"


@contextmanager
def locked(what: str) -> Iterator[None]:
    """Only one process at a time; the kernel releases the lock when the process ends."""
    cache_folder().mkdir(parents=True, exist_ok=True)
    with locked_file(cache_folder() / f".{what}.lock", what=what):
        yield


@contextmanager
def locked_if_free(what: str) -> Iterator[bool]:
    """As `locked`, without waiting: whether nobody else has the lock."""
    cache_folder().mkdir(parents=True, exist_ok=True)
    with (cache_folder() / f".{what}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


@contextmanager
def locked_file(path: Path, *, what: str) -> Iterator[None]:
    """As `locked`, with a file of one's own choice."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"  waiting for another process that works on {what}", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
