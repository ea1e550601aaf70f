"""Deadline: has the run used up `activeDeadlineSeconds` of running? Suspended and waiting time does not count."""

from trainingrun.api import Failure, StopReason
from trainingrun.contract import Cause
from trainingrun_operator.life import ActiveAttempt, BetweenAttempts, Life
from trainingrun_operator.policies.stopping import failed, stop
from trainingrun_operator.step import Step


def fail_at_deadline(life: BetweenAttempts) -> Step | None:
    """A run that has run too long fails instead of starting again."""
    failure = _exceeded(life)
    return failed(life, failure, status=life.status) if failure is not None else None


def stop_at_deadline(life: ActiveAttempt) -> Step | None:
    """Stop a run that has run too long, and let it fail."""
    failure = _exceeded(life)
    return stop(life, reason=StopReason.FAIL, failure=failure) if failure is not None else None


def _exceeded(life: Life) -> Failure | None:
    limit = life.run.spec.active_deadline_seconds
    if limit is None or life.clocks.active_seconds < limit:
        return None
    bound, hint = _bound(life, limit)
    return Failure(
        cause=Cause.DEADLINE_EXCEEDED,
        message=f"The run has been running for {int(life.clocks.active_seconds)} s, and {bound}.",
        attempt=life.attempt,
        hint=hint,
    )


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
