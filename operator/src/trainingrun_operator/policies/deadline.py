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
    bound, hint = _bound(life, limit)
    failure = Failure(
        cause=Cause.DEADLINE_EXCEEDED,
        message=f"The run has been running for {int(life.active_seconds)} s, and {bound}.",
        attempt=life.attempt,
        hint=hint,
    )
    if life.resolved is None:
        return failed(life, failure, status=life.status)
    return stop(life, reason=StopReason.FAIL, failure=failure)


def _bound(life: Life, limit: int) -> tuple[str, str]:
    """Who has set the limit, and the way out."""
    preset = life.preset
    if preset is not None and preset.spec.limits.longest_deadline_seconds == limit:
        return (
            f"TrainingPreset {preset.record.name} allows {limit} (limits.longestDeadlineSeconds)",
            "Run it again with a preset that allows more: change spec.preset together with spec.rerun.",
        )
    return (
        f"spec.activeDeadlineSeconds is {limit}",
        "Create a run with a larger spec.activeDeadlineSeconds; while a run is not finished it can be raised in place.",
    )
