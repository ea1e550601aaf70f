"""Wait for what the user has yet to make: first patiently, then saying that nobody seems to come."""

from datetime import datetime

from trainingrun.api import TrainingRunStatus
from trainingrun_operator.bounds import shown
from trainingrun_operator.life import BetweenAttempts
from trainingrun_operator.model import Reference
from trainingrun_operator.step import State, Step

_TELLING = 512
"""Characters of a sentence that are compared: a longer one is cut in the status."""


def wait_for_user(life: BetweenAttempts, *, reason: str, message: str, about: Reference | None = None) -> Step:
    """Wait; stalled after the start time-out. What is waited for clears it whenever it appears. `about`: that object."""
    since = waiting_since(life.status, now=life.now, reason=reason, subject=message)
    waited = (life.now - since).total_seconds()
    patience = life.run.spec.recovery.start_timeout_seconds
    stalled = waited >= patience
    return Step(
        state=State.STALLED if stalled else State.WAITING,
        reason=reason,
        message=message,
        status=life.status,
        requeue_after=life.pace.stalled_look_again_seconds if stalled else min(life.pace.look_again_seconds, patience - waited),
        waiting_since=since,
        about=about,
    )


def waiting_since(status: TrainingRunStatus, *, now: datetime, reason: str, subject: str) -> datetime:
    """Since when a run waits for this; `subject` is the beginning of the sentence that says so.

    A wait begins anew when the status has told of something else: somebody has come, and deserves the same patience again.
    """
    told = status.condition("Stalled") or status.condition("Reconciling")
    if status.waiting_since is None or told is None or told.reason != reason:
        return now
    return status.waiting_since if told.message.startswith(shown(subject)[:_TELLING]) else now
