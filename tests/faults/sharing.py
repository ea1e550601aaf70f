"""What the processes of one session of tests share: the first that needs it makes it, the last that needed it takes it away."""

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cluster.processes import start_time

# A program that is just being forked may not hear the first signal.
_LEASH = """
session=$1; shift
trap 'while kill ${program:-$!}; do sleep 0.1; done 2>/dev/null; exit' TERM
"$@" & program=$!
while kill -0 $session && kill -0 $program; do sleep 1 & wait $!; done 2>/dev/null
kill $program
"""


def session() -> int:
    """Pid of the process that has started all others of this session of tests."""
    return os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()


def leashed(command: Sequence[str | Path], *, to: int) -> list[str | Path]:
    """The command of a program that ends with the process of this pid, however that ends."""
    return ["sh", "-c", _LEASH, "sh", str(to), *command]


@contextmanager
def shared(folder: Path, *, up: Callable[[], None], down: Callable[[], None]) -> Iterator[None]:
    """It is up while the context lasts in any process that names the same folder. Processes that have died do not count."""
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        if not _others(folder):
            up()
        _mine(folder).touch()
    try:
        yield
    finally:
        with locked(folder):
            _mine(folder).unlink()
            if not _others(folder):
                down()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """No other process is in such a context of the same folder."""
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _mine(folder: Path) -> Path:
    return _user(folder, os.getpid())


def _others(folder: Path) -> list[Path]:
    """Who else uses it."""
    pids = [int(path.name.split(".")[1]) for path in folder.glob("user.*")]
    return [path for pid in pids if pid != os.getpid() and (path := _user(folder, pid)).exists()]


def _user(folder: Path, pid: int) -> Path:
    """The mark of a process; one that got the pid of another since has another mark."""
    return folder / f"user.{pid}.{start_time(pid)}"
