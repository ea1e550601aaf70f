"""Where ranks take part in a search: the protocol, and what they are answered.

Whatever is asked or told may be repeated when the answer was lost: the second time changes nothing.
"""

from typing import Annotated, Literal, Protocol

from pydantic import Field

from trainingrun.api import TuningStatus
from trainingrun.api.base import Frozen
from trainingrun_trainer.tuning.events import Kind


class Turn(Frozen):
    """What a rank does next."""

    kind: Literal["run", "wait", "over"]
    """Run a trial, ask again later because others still run some, or go on to training."""
    trial: int = 0
    parameters: Annotated[dict[str, str], Field(default_factory=dict)]
    """Values of the trial to run, by their paths in spec."""
    moves: int = 0
    """Grows with all that any rank does: a search where it stays the same is a hang."""
    status: TuningStatus


class Outcome(Frozen):
    """What a search has come to."""

    best: dict[str, str] | None = None
    """Values of the best trial; None when no trial came to its end."""
    status: TuningStatus
    cause: str = ""
    """Of the first failure, if there was one."""
    message: str = ""


class Desk(Protocol):
    """Asked by every rank. Raises TrainerError: PeerLost when nobody answers, or whatever keeps the study from being noted."""

    def ask(self, *, rank: int) -> Turn:
        """What this rank does next."""

    def report(self, *, trial: int, epoch: int, value: float) -> bool:
        """Say how good a trial is after an epoch, counted from 1; returns whether it goes on."""

    def tell(self, *, trial: int, kind: Kind, cause: str = "", message: str = "") -> None:
        """Say how a trial has ended."""

    def alive(self) -> None:
        """Say that a trial has taken steps, in an epoch that takes long."""

    def outcome(self) -> Outcome:
        """What the search has come to."""

    def leave(self) -> None:
        """The last word, of one rank for all: nobody will ask again."""
