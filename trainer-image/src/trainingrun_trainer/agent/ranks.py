"""The training processes of one worker."""

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from trainingrun_trainer.agent import processes, stacks
from trainingrun_trainer.agent.logbook import Logbook
from trainingrun_trainer.agent.orphans import standing
from trainingrun_trainer.messages import PIPE_VARIABLE, Message, parse

RANK_MODULE = "trainingrun_trainer.rank"


class Rank:
    """One process: started at once, its lines copied to the logbook, its messages handed on."""

    def __init__(
        self,
        number: int,
        *,
        environment: Mapping[str, str],
        logbook: Logbook,
        on_message: Callable[["Rank", Message], None],
        module: str = RANK_MODULE,
    ) -> None:
        self.number = number
        self.last: Message | None = None
        self.stacks = stacks.StackFile()
        self._logbook = logbook
        self._on_message = on_message
        reading, writing = os.pipe()
        lines, output = os.pipe()
        self._process = processes.launch(
            processes.Start(
                module=module,
                environment={**os.environ, **environment},
                output=output,
                named={PIPE_VARIABLE: writing, stacks.FILE_VARIABLE: self.stacks.descriptor},
            ),
            note=self._write,
        )
        os.close(writing)
        os.close(output)
        self._readers = [
            threading.Thread(target=self._copy_output, args=(lines,), daemon=True),
            threading.Thread(target=self._read_messages, args=(reading,), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def poll(self) -> int | None:
        """Exit code, negative for a signal, or None while it runs."""
        return self._process.poll()

    def interrupt(self) -> None:
        """Ask it to save its state and end."""
        self._signal(signal.SIGTERM)

    def ask_for_stacks(self) -> None:
        """Ask where it is; only the rank itself, because what it has started may not know the signal and die of it."""
        self._process.send_signal(stacks.SIGNAL)

    def kill(self) -> None:
        """End it at once, with everything that it has started; what it has left behind also when it has ended long ago."""
        self._signal(signal.SIGKILL)
        self._process.wait()
        self.sweep()

    def sweep(self) -> None:
        """End what it has left behind in its group, once it has ended.

        No process can get its number while the group has members: one that has it and runs is another, and the group is empty.
        """
        if self._process.poll() is None:
            return
        leader = standing(self._process.pid)
        if leader is None or leader.has_ended:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def drain(self, *, timeout: float = 2) -> None:
        """Wait until all that an ended process has written has been read."""
        deadline = time.monotonic() + timeout
        for reader in self._readers:
            reader.join(max(0.0, deadline - time.monotonic()))

    def _signal(self, number: signal.Signals) -> None:
        if self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def _copy_output(self, descriptor: int) -> None:
        with os.fdopen(descriptor, "rb") as lines:
            for line in lines:
                self._write(line.decode(errors="replace").rstrip())

    def _write(self, line: str) -> None:
        self._logbook.write(f"[rank {self.number}] {line}")

    def _read_messages(self, descriptor: int) -> None:
        with os.fdopen(descriptor, "rb") as lines:
            for line in lines:
                message = parse(line)
                if message is not None:
                    if message.kind in ("failed", "result"):
                        self.last = message
                    self._on_message(self, message)
