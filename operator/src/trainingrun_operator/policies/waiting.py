"""Wait for what the user has yet to make: first patiently, then saying that nobody seems to come."""

from trainingrun_operator.life import Life
from trainingrun_operator.step import State, Step

LOOK_AGAIN_SECONDS = 5.0


def wait_for_user(life: Life, *, reason: str, message: str) -> Step:
    """Wait; stalled after the start time-out. What is waited for clears it whenever it appears."""
    since = life.status.waiting_since or life.now
    waited = (life.now - since).total_seconds()
    patience = life.run.spec.recovery.start_timeout_seconds
    stalled = waited >= patience
    return Step(
        state=State.STALLED if stalled else State.WAITING,
        reason=reason,
        message=message,
        status=life.status.model_copy(update={"waiting_since": since}),
        requeue_after=60.0 if stalled else min(LOOK_AGAIN_SECONDS, patience - waited),
    )
