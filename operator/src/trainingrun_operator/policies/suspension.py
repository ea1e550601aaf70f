"""Is the run to pause? Its pods write a checkpoint and go; resuming is another attempt, which costs no restart."""

from trainingrun.api import StopReason
from trainingrun_operator.life import ActiveAttempt, BetweenAttempts
from trainingrun_operator.policies.stopping import stop, suspended
from trainingrun_operator.step import Step


def stay_suspended(life: BetweenAttempts) -> Step | None:
    """Start no attempt of a run that is to pause."""
    return suspended(life, status=life.status) if life.run.spec.suspend else None


def suspend(life: ActiveAttempt) -> Step | None:
    """Stop the attempt of a run that is to pause."""
    return stop(life, reason=StopReason.SUSPEND) if life.run.spec.suspend else None
