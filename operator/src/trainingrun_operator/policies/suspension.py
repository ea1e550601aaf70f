"""Is the run to pause? Its pods write a checkpoint and go; resuming is another attempt, which costs no restart."""

from trainingrun.api import StopReason
from trainingrun_operator.life import Life
from trainingrun_operator.policies.stopping import stop, suspended
from trainingrun_operator.step import Step


def suspend(life: Life) -> Step | None:
    """Stop the attempt of a run that is to pause, or leave it paused."""
    if not life.run.spec.suspend:
        return None
    if life.resolved is not None:
        return stop(life, reason=StopReason.SUSPEND)
    return suspended(life, status=life.status)
