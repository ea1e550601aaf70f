"""The Python stacks of running ranks, which say where each of them waits.

A rank answers a signal with `faulthandler`, whose handler is written in C: it also answers while the rank waits inside of
Horovod, where Python's own handlers never get their turn. It writes into a file in memory that the agent has made, so that
neither a full disk nor a full pipe holds anybody up, and stacks do not mix with log lines.
"""

import faulthandler
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol

from trainingrun_trainer.agent.logbook import Logbook
from trainingrun_trainer.errors import TrainerError
from trainingrun_trainer.output.place import Place

FILE_VARIABLE = "TRAININGRUN_STACKS_FILE"
SIGNAL = signal.SIGUSR1
PATIENCE_SECONDS = 2.0
"""How long a rank may take to answer: one that is stopped never does."""
QUIET_SECONDS = 0.1
"""An answer has no end mark: it is complete when nothing has been added for this long."""

SILENCE = f"no answer within {PATIENCE_SECONDS:.0f} s: the process is stopped, or has not started yet"


def answer_when_asked() -> None:
    """In a rank: answer the agent's signal from now on. Without an agent (in tests) nobody asks."""
    descriptor = os.environ.get(FILE_VARIABLE)
    if descriptor is not None:
        faulthandler.register(SIGNAL, file=int(descriptor), all_threads=True)


def ignore_until_answered() -> None:
    """In the agent, before it starts ranks: they inherit this, else a signal would end one that does not answer yet."""
    signal.signal(SIGNAL, signal.SIG_IGN)


class StackFile:
    """Where one rank writes its stacks, and the agent reads them."""

    def __init__(self) -> None:
        self.descriptor = os.memfd_create("stacks")
        self._read = 0

    def take(self) -> str:
        """What has been written since the last time."""
        size = os.fstat(self.descriptor).st_size
        new = os.pread(self.descriptor, size - self._read, self._read)
        self._read += len(new)
        return new.decode(errors="replace")


class Asked(Protocol):
    """A rank, as far as it matters here."""

    number: int
    stacks: StackFile

    def poll(self) -> int | None:
        """Exit code, or None while it runs."""

    def ask_for_stacks(self) -> None:
        """Send it the signal."""


class StackTaker:
    """Asks the ranks of a worker; one question at a time."""

    def __init__(self, *, logbook: Logbook, target: Place, permit: Callable[[], object] = lambda: None) -> None:
        """`permit` raises when this run may not write at `target`."""
        self._logbook = logbook
        self._target, self._permit = target, permit
        self._lock = threading.Lock()

    def take(self, ranks: Sequence[Asked]) -> dict[str, list[int]]:
        """Write the stacks of all running ranks to the log, and at once to the output; returns who was asked, and was silent.

        At once, because what follows a hang is the end of the pod. The log comes first: an output that does not answer may
        be what everybody waits for.
        """
        with self._lock:
            stacks = _collect([rank for rank in ranks if rank.poll() is None])
            for number, text in stacks.items():
                for line in (text or SILENCE).splitlines():
                    self._logbook.write(f"[rank {number}] {line}")
            self._keep(stacks)
        return {"ranks": list(stacks), "silent": [number for number, text in stacks.items() if not text]}

    def _keep(self, stacks: Mapping[int, str]) -> None:
        """Add to the file on the output; a failure is said in the log and changes nothing."""
        lines = [f"at {datetime.now(UTC).isoformat(timespec='seconds')}\n"]
        lines += [f"\nrank {number}\n{text or SILENCE}\n" for number, text in stacks.items()]
        try:
            self._permit()
            self._target.append("".join(lines).encode())
        except (OSError, TrainerError) as problem:
            self._logbook.write(f"The stacks could not be kept at {self._target.uri}: {problem}")


def _collect(ranks: Sequence[Asked]) -> dict[int, str]:
    """Ask all, and wait until all have answered and fallen silent, or until patience ends."""
    for rank in ranks:
        rank.ask_for_stacks()
    stacks = {rank.number: "" for rank in ranks}
    deadline = time.monotonic() + PATIENCE_SECONDS
    is_complete = False
    while not is_complete and time.monotonic() < deadline:
        time.sleep(QUIET_SECONDS)
        new = {rank.number: rank.stacks.take() for rank in ranks}
        is_complete = all(stacks.values()) and not any(new.values())
        stacks = {number: text + new[number] for number, text in stacks.items()}
    return stacks
