"""What a process must not have when it is forked, because the child would share it or miss it."""

import os
import re
import signal
import threading
from dataclasses import dataclass
from pathlib import Path

OWN = Path("/proc/self")


@dataclass(frozen=True)
class Traces:
    """Files and devices that are open, and signals that somebody answers, at one moment."""

    opened: frozenset[str]
    answered: frozenset[int]

    @classmethod
    def now(cls) -> "Traces":
        """Those of this process."""
        return cls(opened=frozenset(_opened()), answered=frozenset(_answered()))


def obstacle(before: Traces, *, after: Traces) -> str | None:
    """Why a process should not be forked after what happened in between, in a sentence; None if it may."""
    if after.opened - before.opened:
        return f"What was imported keeps {', '.join(sorted(after.opened - before.opened))} open, which children would share."
    if after.answered - before.answered:
        names = ", ".join(signal.Signals(number).name for number in sorted(after.answered - before.answered))
        return f"What was imported answers {names}, and children would, too."
    if threading.active_count() > 1 or _threads_after_a_fork() > 1:
        return "What was imported has started threads, which would be missing in a child while what they hold stays locked."
    return None


def _opened() -> list[str]:
    found = []
    for descriptor in (OWN / "fd").iterdir():
        try:
            found.append(f"{descriptor.name} ({descriptor.readlink()})")
        except FileNotFoundError:  # the one that lists the others
            continue
    return found


def _answered() -> list[int]:
    mask = re.search(r"^SigCgt:\s*([0-9a-f]+)", (OWN / "status").read_text(), re.MULTILINE)
    assert mask is not None
    return [number for number in signal.valid_signals() if int(mask.group(1), 16) >> (number - 1) & 1]


def _threads_after_a_fork() -> int:
    """Threads that stay while the process is forked: those of a well-behaved library, such as OpenBLAS, end before."""
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return len(list((OWN / "task").iterdir()))
