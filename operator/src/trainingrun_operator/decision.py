"""What is to be done, as values. Nothing here has behaviour that could fail."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from trainingrun.api import TrainingRunStatus
from trainingrun_operator.model import Manifest, Reference


@dataclass(frozen=True)
class Deletion:
    """One object to delete, if it still has this UID."""

    kind: str
    name: str
    uid: str


class EventType(StrEnum):
    """Types of Kubernetes Events."""

    NORMAL = "Normal"
    WARNING = "Warning"


class EventReason(StrEnum):
    """Reasons of the Events that the operator emits on a TrainingRun."""

    ATTEMPT_STARTED = "AttemptStarted"
    TRAINING_STARTED = "TrainingStarted"
    STOPPING = "Stopping"
    QUEUED = "Queued"
    SUSPENDED = "Suspended"
    RESTARTING = "Restarting"
    RERUN = "Rerun"
    WAITING = "Waiting"
    STALLED = "Stalled"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


_ACTIONS: Mapping[str, str] = {
    EventReason.ATTEMPT_STARTED: "CreateAttempt",
    EventReason.TRAINING_STARTED: "Train",
    EventReason.STOPPING: "StopAttempt",
    EventReason.SUSPENDED: "Suspend",
    EventReason.RESTARTING: "BackOff",
    EventReason.RERUN: "BeginRound",
    EventReason.SUCCEEDED: "EndRun",
    EventReason.FAILED: "EndRun",
}
_WAITS, _STALLS = "Wait", "Stall"


@dataclass(frozen=True)
class Event:
    """A Kubernetes Event on the run."""

    reason: str
    """An `EventReason`, or the word for what the run waits for: see `causes` and `reasons`."""
    message: str
    type: EventType = EventType.NORMAL
    related: Reference | None = None
    """The other object that it is about, in the run's namespace or in none."""
    stalls: bool = False
    """Whether a wait has become one that somebody has to end."""

    @property
    def action(self) -> str:
        """What the operator does about it."""
        return _STALLS if self.stalls else _ACTIONS.get(self.reason, _WAITS)

    @property
    def may_repeat(self) -> bool:
        """Whether it is about what the run waits for, which may come and go; all else happens once."""
        return self.reason not in list(EventReason)


@dataclass(frozen=True)
class Decision:
    """What to do next: ask for stacks, then deletes, creates, one status write if it differs, and Events."""

    status: TrainingRunStatus
    create: tuple[Manifest, ...] = ()
    delete: tuple[Deletion, ...] = ()
    events: tuple[Event, ...] = ()
    stacks_of: tuple[str, ...] = ()
    requeue_after: float | None = None
    """Seconds after which to look again although nothing changed; None: never."""
    defect: Exception | None = None
    """What went wrong in the operator itself, when this is what it does in spite of that."""
