"""Has nothing been done for too long? A rank that waits for ever in a collective operation raises no error."""

from dataclasses import replace

from trainingrun.api import Failure
from trainingrun.contract import Cause
from trainingrun_operator.life import ActiveAttempt
from trainingrun_operator.policies.failure import retry_or_fail
from trainingrun_operator.step import Step


def stop_hanging(life: ActiveAttempt) -> Step | None:
    """Stop an attempt whose report has not changed for `hangTimeoutSeconds`, after asking all ranks where they are."""
    left = life.reports.seconds_until_hang
    report = life.reports.fresh
    if left is None or report is None or left > 0:
        return None
    patience = life.run.spec.recovery.hang_timeout_seconds
    failure = Failure(
        cause=Cause.HANG,
        attempt=life.attempt,
        message=f"Nothing has been done for {patience} s (spec.recovery.hangTimeoutSeconds): {report.stage} has stood still at "
        f"step {report.step} of {report.steps}.",
        hint="Where each rank stood is on the output, beside its log. Raise spec.recovery.hangTimeoutSeconds if a step may "
        "take that long.",
    )
    step = retry_or_fail(life, failure, counts=True)
    return replace(step, stacks_of=tuple(pod.ip for pod in life.gang.pods if pod.is_live and pod.ip))
