"""Long-running processes that outlive the command that started them.

A process is remembered by its pid and its start time, so that a pid which the kernel has given to somebody else since
is never mistaken for ours.
"""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cluster.errors import ClusterError

_children: dict[int, "subprocess.Popen[bytes]"] = {}
"""What this Python process has started itself; the others belong to an earlier one."""

_REMEMBERED = 'echo "$$ $(cut -d" " -f22 /proc/$$/stat)" > "$0.new" && mv "$0.new" "$0" && exec "$@"'
"""A process writes its pid file itself, before it becomes the program: who starts it may be killed at any moment."""


@dataclass(frozen=True)
class Process:
    """A named process of a cluster, with its pid file and its log."""

    name: str
    folder: Path
    logs: Path

    @property
    def log(self) -> Path:
        """What the process prints."""
        return self.logs / f"{self.name}.log"

    @property
    def file(self) -> Path:
        """Its pid and its start time."""
        return self.folder / f"{self.name}.pid"

    def pid(self) -> int | None:
        """Pid of the process, or None when it does not run."""
        try:
            pid, started = self.file.read_text().split()
        except (FileNotFoundError, ValueError):
            return None
        return int(pid) if start_time(int(pid)) == started else None

    def start(self, command: Sequence[str | Path], *, environment: Mapping[str, str] | None = None) -> None:
        """Start the process in a session of its own; nothing happens when it runs."""
        if self.pid() is not None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            child = subprocess.Popen(
                ["/bin/sh", "-c", _REMEMBERED, str(self.file), *(str(word) for word in command)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=None if environment is None else dict(environment),
            )
        _children[child.pid] = child
        while self.pid() != child.pid and child.poll() is None:
            time.sleep(0.005)

    def stop(self, *, grace: float = 10) -> None:
        """End the process: politely first, by force after `grace` seconds. Also fine when it does not run."""
        pid = self.pid()
        if pid is not None:
            end([pid], grace=grace)
        self.file.unlink(missing_ok=True)


def start_time(pid: int) -> str | None:
    """When a process was started, in clock ticks since boot; None when there is no such process, or only its zombie.

    A process whose first thread has ended is a zombie for the kernel while other threads live, and hold its files and ports:
    that is not its end. A program with many threads that is killed is so for some milliseconds.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    has_ended = fields[0] == "Z" and int(fields[17]) <= 1
    return None if has_ended else fields[19]


def end(pids: Sequence[int], *, grace: float) -> None:
    """End processes: SIGTERM, and SIGKILL for those that live after `grace` seconds.

    Raises ClusterError when one survives both, which only a process stuck in the kernel does.
    """
    known = {pid: start_time(pid) for pid in pids}
    for number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 10.0)):
        left = _living(known)
        for pid in left:
            _send(pid, number)
        deadline = time.monotonic() + patience
        while left and time.monotonic() < deadline:
            time.sleep(0.02)
            left = _living(known)
        if not left:
            return
    raise ClusterError(f"The processes {left} do not end, not even by force: look at `ps -o pid,stat,wchan,args -p`.")


def _living(known: Mapping[int, str | None]) -> list[int]:
    _reap()
    return [pid for pid, started in known.items() if started is not None and start_time(pid) == started]


def _reap() -> None:
    """Collect those that this very process has started and that have ended: they would stay as zombies."""
    for pid in [pid for pid, child in _children.items() if child.poll() is not None]:
        del _children[pid]


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
