"""Has the run used up `activeDeadlineSeconds` of running? Suspended and waiting time does not count."""

from trainingrun.api import Failure, StopReason
from trainingrun.contract import Cause
from trainingrun_operator.life import Life
from trainingrun_operator.policies.stopping import failed, stop
from trainingrun_operator.step import Step


def enforce_deadline(life: Life) -> Step | None:
    """Stop a run that has run too long, and let it fail."""
    limit = life.run.spec.active_deadline_seconds
    if limit is None or life.active_seconds < limit:
        return None
    failure = Failure(
        cause=Cause.DEADLINE_EXCEEDED,
        message=f"The run has been running for {int(life.active_seconds)} s, and spec.activeDeadlineSeconds is {limit}.",
        attempt=life.attempt,
        hint="Create a run with a larger spec.activeDeadlineSeconds; while a run is not finished it can be raised in place.",
    )
    if life.resolved is None:
        return failed(life, failure, status=life.status)
    return stop(life, reason=StopReason.FAIL, failure=failure)
