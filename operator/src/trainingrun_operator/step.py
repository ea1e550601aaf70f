"""What a policy answers: the state that the run is in, why, and what to do. `status.finish` makes a Decision of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from trainingrun.api import TrainingRunStatus
from trainingrun.contract import Stage
from trainingrun_operator.decision import Deletion, Event
from trainingrun_operator.model import Child, Manifest, Reference


class State(StrEnum):
    """What `kubectl get trun` shows as Status."""

    WAITING = "Waiting"
    """Something that the run names is missing."""
    QUEUED = "Queued"
    """A queue holds the attempt back."""
    STARTING = "Starting"
    RUNNING = "Running"
    STOPPING = "Stopping"
    RESTARTING = "Restarting"
    """Backing off before the next attempt."""
    SUSPENDED = "Suspended"
    STALLED = "Stalled"
    """Nothing will change unless somebody changes something."""
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"

    @property
    def stage(self) -> Stage | None:
        """Stage of a run in this state, as people see it; None where it stays in the stage that it has come to."""
        if self is State.STARTING:
            return Stage.STARTING
        return Stage.QUEUED if self in (State.WAITING, State.QUEUED, State.STALLED, State.RESTARTING) else None

    @property
    def is_final(self) -> bool:
        """Whether nothing happens any more: a terminal state."""
        return self in (State.SUCCEEDED, State.FAILED)


@dataclass(frozen=True)
class Step:
    """The answer of one policy. `status` holds its changes; conditions, columns and the like are derived from all of it."""

    state: State
    reason: str
    message: str
    status: TrainingRunStatus
    create: tuple[Manifest, ...] = ()
    delete: tuple[Deletion, ...] = ()
    events: tuple[Event, ...] = ()
    stacks_of: tuple[str, ...] = ()
    """Addresses of workers that are asked where their ranks are, before anything else."""
    requeue_after: float | None = None
    about: Reference | None = None
    """The object that the message is about, besides the run."""
    waiting_since: datetime | None = None
    """Since when it waits for what the message says; None when it does not wait, which ends the wait before."""


def deletions(children: Iterable[Child]) -> tuple[Deletion, ...]:
    """Deletions of these children, but for those that are being deleted already."""
    return tuple(Deletion(child.kind, child.name, child.uid) for child in children if not child.is_deleting)
