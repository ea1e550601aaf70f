"""Has something failed? Find the one cause of the attempt, and decide between another attempt and the end.

The gang restarts as a whole, as an attempt: the Job itself restarts no pod (`restartPolicy: Never`, no retries), and
`recovery.maximumRestarts` is what `backoffLimit` would be.
"""

from dataclasses import replace

from trainingrun.api import Failure, StopReason
from trainingrun.api.base import cut
from trainingrun.contract import Cause, ExitCode
from trainingrun_operator.causes import is_final, is_nobodys_fault
from trainingrun_operator.changes import changed
from trainingrun_operator.life import ActiveAttempt
from trainingrun_operator.model import Pod
from trainingrun_operator.policies.evidence import cause_of, has_only_lost_its_peer, is_verdict
from trainingrun_operator.policies.lost_node import node_lost
from trainingrun_operator.policies.stopping import stop
from trainingrun_operator.status.measurements import has_progressed
from trainingrun_operator.step import State, Step

_LONGEST = 2048
"""Characters of a failure's message."""
_FINAL_CODES = {ExitCode.BAD_CONFIG, ExitCode.BAD_DATA, ExitCode.NOT_ACCEPTED}


def end_with_verdict(life: ActiveAttempt) -> Step | None:
    """A model that is not accepted ends the run as one that is does: no deadline and no suspension comes in between."""
    return recover_from_failure(life) if any(is_verdict(pod) for pod in life.gang.pods) else None


def recover_from_failure(life: ActiveAttempt) -> Step | None:
    """Stop an attempt that has failed or lost its Job; retry it unless that is useless or has been done too often."""
    failure = _failure(life)
    if failure is None:
        return None
    waiting = _seconds_for_reports(life)
    if waiting > 0:
        return Step(
            state=State.STOPPING,
            reason=failure.cause,
            message=f"A worker of attempt {life.attempt} has failed; waiting for what the others report.",
            status=life.status,
            requeue_after=waiting,
        )
    if failure.exit_code in _FINAL_CODES or is_final(failure.cause):
        return _end(life, failure)
    return retry_or_fail(life, failure, counts=not is_nobodys_fault(failure.cause))


def _end(life: ActiveAttempt, failure: Failure) -> Step:
    """The end of the run; what a model that is not accepted achieved is kept, in the same write as the intent to stop."""
    step = stop(life, reason=StopReason.FAIL, failure=failure)
    results = [pod.record.result for pod in life.gang.pods if pod.record is not None and pod.record.result is not None]
    if not results:
        return step
    return replace(step, status=changed(step.status, result=results[0]))


def retry_or_fail(life: ActiveAttempt, failure: Failure, *, counts: bool) -> Step:
    """Another attempt if there are restarts left; a restart after progress does not use up any of the earlier ones."""
    used = 0 if has_progressed(life) else life.status.restarts
    limit = life.run.spec.recovery.maximum_restarts
    if counts and used >= limit:
        last = f" It was the last of {limit} restarts without progress." if limit > 0 else ""
        ended = changed(failure, message=f"{cut(failure.message, _LONGEST - len(last))}{last}")
        return stop(life, reason=StopReason.FAIL, failure=ended)
    return stop(life, reason=StopReason.RESTART, failure=failure, counts=counts)


def _failure(life: ActiveAttempt) -> Failure | None:
    broken = [pod for pod in life.gang.pods if pod.phase == "Failed" or pod.exit_code not in (None, 0)]
    if broken and life.gang.lost and all(map(has_only_lost_its_peer, broken)):
        return node_lost(life, life.gang.lost[0])  # what they have lost
    if broken:
        return cause_of(broken, life=life)
    job = life.children.job
    if job is None:
        return _lost_job(life)
    if job.failed_indexes:
        return Failure(
            cause=Cause.POD_DELETED,
            message=f"The pod of worker {job.failed_indexes} was deleted, and left no word why.",
            attempt=life.attempt,
            hint="Draining a node or `kubectl delete pod` does this; the run goes on from its last checkpoint.",
        )
    return _lost_result(life)


def _lost_job(life: ActiveAttempt) -> Failure | None:
    """A Job that was there and is gone has been deleted by somebody."""
    if not life.children.had_job:
        return None
    return Failure(
        cause=Cause.JOB_DELETED,
        message=f"The Job of attempt {life.attempt} was deleted.",
        attempt=life.attempt,
        hint="To pause a run, set spec.suspend to true instead.",
    )


def _lost_result(life: ActiveAttempt) -> Failure | None:
    """All workers have finished, but what worker 0 reported is gone with its pod: another attempt only reports again."""
    if life.children.job is None or life.children.job.succeeded < life.resolved.replicas or life.gang.live:
        return None
    return Failure(
        cause=Cause.RESULT_LOST,
        message=f"All workers of attempt {life.attempt} have finished, but the report of worker 0 is lost with its pod.",
        attempt=life.attempt,
    )


def _seconds_for_reports(life: ActiveAttempt) -> float:
    """How much longer to wait for the workers that have not ended yet; nothing when the first has ended long ago."""
    ended = [moment for pod in life.gang.pods if pod.has_ended and (moment := life.clocks.ended(pod)) is not None]
    if not ended or not _is_anyone_left(life.gang.pods):
        return 0.0
    knows_more = life.gang.lost or not all(has_only_lost_its_peer(pod) for pod in life.gang.pods if pod.has_ended)
    patience = life.pace.failure_report_seconds if knows_more else life.pace.lost_peer_seconds
    return max(0.0, patience - (life.now - min(ended)).total_seconds())


def _is_anyone_left(pods: tuple[Pod, ...]) -> bool:
    """Whether a worker may still report: one whose container never started has nothing to say."""
    return any(not pod.has_ended and pod.started is not None for pod in pods)
