"""The ranks of one worker together, and what they have said."""

import signal
from collections.abc import Mapping
from datetime import UTC, datetime

from trainingrun.api import Result
from trainingrun.contract import ProgressReport
from trainingrun_trainer.agent.logbook import Logbook
from trainingrun_trainer.agent.ranks import Rank
from trainingrun_trainer.agent.verdict import Ended
from trainingrun_trainer.messages import Message


class Crew:
    """Starts, asks and ends the ranks of a worker; whether they are ready, and the newest report, follow from what they say."""

    def __init__(self, *, attempt: int, size: int, logbook: Logbook, module: str) -> None:
        """`size` ranks will be started, each of them as this module."""
        self.ranks: list[Rank] = []
        self.report = ProgressReport(attempt=attempt, updated_at=datetime.now(UTC))
        self._size = size
        self._logbook = logbook
        self._module = module
        self._ready: set[int] = set()

    def start(self, number: int, *, environment: Mapping[str, str]) -> None:
        """Start the rank of this number."""
        rank = Rank(number, environment=environment, logbook=self._logbook, on_message=self._hear, module=self._module)
        self.ranks.append(rank)

    @property
    def codes(self) -> list[int | None]:
        """The exit codes, negative for a signal, None for a rank that runs."""
        return [rank.poll() for rank in self.ranks]

    @property
    def running(self) -> list[int]:
        """The numbers of the ranks that run."""
        return [rank.number for rank in self.ranks if rank.poll() is None]

    @property
    def is_ready(self) -> bool:
        """Whether all have met the ranks of the other workers."""
        return len(self._ready) >= self._size

    @property
    def has_begun(self) -> bool:
        """Whether any has: before, there is nothing to save."""
        return bool(self._ready)

    @property
    def result(self) -> Result | None:
        """What the rank that publishes has told, if it is one of these."""
        return next((rank.last.result for rank in self.ranks if rank.last is not None and rank.last.result), None)

    def interrupt(self) -> None:
        """Ask all to save their state and end."""
        for rank in self.ranks:
            rank.interrupt()

    def end(self, *, only_causes: bool = False) -> list[Ended]:
        """End those that still run, and return how the others have ended, or only those whose end no other's can have caused.

        These have said why they failed, or somebody has killed them: losing its peers ends a rank in other ways. A rank that
        has said so counts as ended: what is left of it can be held up by a gang that is gone.
        """
        codes = {rank.number: rank.poll() for rank in self.ranks}
        for rank in self.ranks:
            rank.kill()
            rank.drain()
        ended = []
        for rank in self.ranks:
            code, said = codes[rank.number], rank.last is not None and rank.last.kind == "failed"
            if code is None and said and rank.last is not None:
                code = rank.last.exit_code
            if code is not None and (said or code == -signal.SIGKILL or not only_causes):
                ended.append(Ended(rank=rank.number, code=code, last=rank.last))
        return ended

    def sweep(self) -> None:
        """End what ranks that have ended have left behind."""
        for rank in self.ranks:
            rank.sweep()

    def drain(self) -> None:
        """Wait until all that they have written has been read."""
        for rank in self.ranks:
            rank.drain()

    def _hear(self, rank: Rank, message: Message) -> None:
        if message.kind == "ready":
            self._ready.add(rank.number)
        if message.kind == "progress" and message.progress is not None:
            self.report = message.progress
