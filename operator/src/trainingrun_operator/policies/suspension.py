"""Is the run to pause? Its pods write a checkpoint and go; resuming is another attempt, which costs no restart."""

from trainingrun.api import StopReason
from trainingrun_operator.life import Life
from trainingrun_operator.policies.stopping import stop
from trainingrun_operator.step import State, Step


def suspend(life: Life) -> Step | None:
    """Stop the attempt of a run that is to pause, or leave it paused."""
    if not life.run.spec.suspend:
        return None
    if life.resolved is not None:
        return stop(life, reason=StopReason.SUSPEND)
    checkpoint = life.status.checkpoint
    after = f"goes on after epoch {checkpoint.epoch}" if checkpoint is not None else "has not begun"
    return Step(
        state=State.SUSPENDED,
        reason="Suspended",
        message=f"spec.suspend is true; training {after}. Set it to false to go on.",
        status=life.status.model_copy(update={"retry_at": None}),
    )
