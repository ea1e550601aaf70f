"""Orphans of users' code: what a rank has started and left behind falls to the agent, as process 1 of the pod, to be reaped.

Nobody else waits for them, and a process that nobody waits for keeps its number until the pod has none left.
"""

import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

PR_SET_CHILD_SUBREAPER = 36
PROCESSES = Path("/proc")


class Standing(NamedTuple):
    """What the kernel knows of a process. A number is given again; with the moment of birth it names one process."""

    pid: int
    has_ended: bool
    """And nobody has waited for it yet."""
    parent: int
    born: str
    """In ticks since the start of the machine."""


def standing(pid: int) -> Standing | None:
    """That of the process with this number, if there is one. Source: proc_pid_stat(5)."""
    try:
        text = (PROCESSES / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the name before may have any characters
    return Standing(pid, has_ended=fields[0] == "Z", parent=int(fields[1]), born=fields[19])


def adopt() -> None:
    """Orphans fall to this process also where it is not process 1, as in a pod that shares its processes."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


class Reaper:
    """Waits for ended children that are nobody's: not started here, and so in no hand that would wait for them.

    `subprocess` waits for its own by their numbers, and whoever else took their exit codes would make failures a success.
    """

    def __init__(self, *, own: Callable[[], set[int]]) -> None:
        """`own` tells the processes that this one has started."""
        self._own = own
        self._before: set[Standing] = set()

    def reap(self) -> list[int]:
        """Reap the orphans that had ended when this was called last: what is just being started is not known as own yet."""
        ended = set(_ended_children())
        own = self._own()
        strangers = {each for each in ended if each.pid not in own}
        due, self._before = strangers & self._before, strangers
        for each in due:
            with suppress(ChildProcessError):  # somebody has waited for it
                os.waitpid(each.pid, os.WNOHANG)
        return sorted(each.pid for each in due)


def _ended_children() -> Iterator[Standing]:
    for folder in PROCESSES.iterdir():
        found = standing(int(folder.name)) if folder.name.isdigit() else None
        if found is not None and found.has_ended and found.parent == os.getpid():
            yield found
