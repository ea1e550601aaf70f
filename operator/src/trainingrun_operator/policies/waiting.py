"""Wait for what the user has yet to make: first patiently, then saying that nobody seems to come."""

from trainingrun_operator.changes import changed
from trainingrun_operator.life import BetweenAttempts
from trainingrun_operator.step import State, Step


def wait_for_user(life: BetweenAttempts, *, reason: str, message: str) -> Step:
    """Wait; stalled after the start time-out. What is waited for clears it whenever it appears."""
    since = life.status.waiting_since or life.now
    waited = (life.now - since).total_seconds()
    patience = life.run.spec.recovery.start_timeout_seconds
    stalled = waited >= patience
    return Step(
        state=State.STALLED if stalled else State.WAITING,
        reason=reason,
        message=message,
        status=changed(life.status, waiting_since=since),
        requeue_after=life.pace.stalled_look_again_seconds if stalled else min(life.pace.look_again_seconds, patience - waited),
    )
