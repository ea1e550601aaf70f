"""A program that an agent runs beside its ranks: its lines go to the logbook, the last of them into sentences."""

import subprocess
import threading
from collections.abc import Mapping, Sequence

from trainingrun_trainer.agent.logbook import Logbook
from trainingrun_trainer.agent.processes import Child

FIRST_LINES = 20
"""What went wrong is said at the start; what follows is advice."""
GIST_CHARACTERS = 300


class Helper:
    """One process, in a session of its own: a signal to the agent is not one to it."""

    def __init__(self, name: str, command: Sequence[str], *, environment: Mapping[str, str], logbook: Logbook) -> None:
        self.name = name
        self._logbook = logbook
        self._lines: list[str] = []
        self._process = Child(
            command,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._copy_output, daemon=True)
        self._reader.start()

    def has_said(self, words: str) -> bool:
        """Whether one of its first lines has these words."""
        return any(words in line for line in self._lines)

    def ended(self) -> str | None:
        """How it has ended and what it said, or None while it runs."""
        code = self._process.poll()
        if code is None:
            return None
        self._reader.join(1)
        how = f"with exit code {code}" if code >= 0 else f"by signal {-code}"
        return f"{self.name} was ended {how}: {self._gist()}" if code < 0 else f"{self.name} ended {how}: {self._gist()}"

    def end(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()
        self._reader.join(1)

    def _gist(self) -> str:
        told = [line.strip(" -*@") for line in self._lines]
        return " ".join(line for line in told if line)[:GIST_CHARACTERS] or "it said nothing."

    def _copy_output(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                text = line.decode(errors="replace").rstrip()
                if len(self._lines) < FIRST_LINES:
                    self._lines.append(text)
                self._logbook.write(f"[{self.name}] {text}")
