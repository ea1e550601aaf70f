"""Stop an attempt: first the intent is written, then the Job is deleted, then what was intended is carried out.

A crash between the two writes loses nothing: whoever reads the intent goes on from there. Pods end as everywhere: SIGTERM, the
termination grace period, SIGKILL.
"""

import hashlib

from trainingrun.api import Clock, Failure, Outcome, Stopping, StopReason, TrainingRunStatus
from trainingrun.contract import Cause
from trainingrun_operator.changes import changed
from trainingrun_operator.decision import Event, EventReason, EventType
from trainingrun_operator.life import Life, StoppingAttempt
from trainingrun_operator.pace import Pace
from trainingrun_operator.policies.rounds import next_round
from trainingrun_operator.policies.taking_down import seconds_until_pods_are_down
from trainingrun_operator.status.history import with_ended_attempt
from trainingrun_operator.status.measurements import checkpoint, has_progressed, tuning
from trainingrun_operator.step import State, Step, deletions

_OUTCOMES = {
    StopReason.SUSPEND: Outcome.SUSPENDED,
    StopReason.RESTART: Outcome.RESTARTED,
    StopReason.RERUN: Outcome.REPLACED,
    StopReason.FAIL: Outcome.FAILED,
}
_ASKED = {StopReason.SUSPEND: "spec.suspend is true.", StopReason.RERUN: "spec.rerun has a new value."}


def stop(life: Life, *, reason: StopReason, failure: Failure | None = None, counts: bool = False) -> Step:
    """Write the intent to stop the current attempt."""
    intent = Stopping(attempt=life.attempt, reason=reason, failure=failure, counts_as_restart=counts)
    why = f"{failure.cause}: {failure.message}" if failure is not None else _ASKED[reason]
    return Step(
        state=State.STOPPING,
        reason=failure.cause if failure is not None else reason.value,
        message=f"Stopping attempt {life.attempt}. {why}",
        status=changed(life.status, stopping=intent, failure=failure or life.status.failure),
        events=(
            Event(
                EventReason.STOPPING,
                f"Attempt {life.attempt} is stopped: {why}",
                EventType.WARNING if failure is not None else EventType.NORMAL,
            ),
        ),
        requeue_after=0.0,
    )


def carry_out_stopping(life: StoppingAttempt) -> Step:
    """Delete the Job of a stopping attempt, wait until none of its pods may do anything, then do what was intended."""
    if life.gang.live or _must_clean_up(life):
        return _delete_job(life)
    intent = life.intent
    ended = attempt_over(life, _OUTCOMES[intent.reason], intent.failure)
    match intent.reason:
        case StopReason.SUSPEND:
            return suspended(life, status=ended)
        case StopReason.RERUN:
            return next_round(life, status=ended)
        case StopReason.FAIL:
            return failed(life, intent.failure or Failure(cause=Cause.INTERNAL), status=ended)
        case StopReason.RESTART:
            return _restart(life, ended)


def attempt_over(life: Life, outcome: Outcome, failure: Failure | None) -> TrainingRunStatus:
    """The status once the attempt is over: its running time is added up, and history has a line about it."""
    clock = Clock(active_seconds=int(life.clocks.active_seconds), running_since=None)
    ended = changed(life.status, stopping=None, resolved=None, clock=clock)
    return with_ended_attempt(life, ended, outcome, failure)


def suspended(life: Life, *, status: TrainingRunStatus) -> Step:
    """The run pauses, and nothing of its attempts is left."""
    message = where_it_goes_on(life, "The run is suspended (spec.suspend)")
    known = life.status.condition("Suspended")
    is_new = known is None or known.status != "True"
    return Step(
        state=State.SUSPENDED,
        reason="Suspended",
        message=message,
        status=changed(status, retry_at=None),
        delete=deletions(life.children.own),
        events=(Event(EventReason.SUSPENDED, message),) if is_new else (),
        requeue_after=None if life.run.spec.suspend else 0.0,
    )


def failed(life: Life, failure: Failure, *, status: TrainingRunStatus) -> Step:
    """The run has failed, for good."""
    return Step(
        state=State.FAILED,
        reason=failure.cause,
        message=f"{failure.message} {failure.hint}".strip(),
        status=changed(status, failure=failure, completion_time=life.now),
        events=(Event(EventReason.FAILED, f"{failure.cause}: {failure.message} {failure.hint}".strip(), EventType.WARNING),),
    )


def _delete_job(life: StoppingAttempt) -> Step:
    """Pods get SIGTERM and the grace period, in which they write a checkpoint.

    Those of a run that fails are left alone while the kubelet only takes them down: they stay, and their logs with them.
    """
    stays = life.intent.reason is StopReason.FAIL and all(pod.has_ended for pod in life.gang.live)
    end_by_themselves = seconds_until_pods_are_down(life) if stays else 0.0
    jobs = [child for child in life.children.own if child.kind == "Job" and end_by_themselves <= 0]
    names = ", ".join(f"{pod.name} on {pod.node}" if pod in life.gang.lost else pod.name for pod in life.gang.live[:4])
    lost = " A node does not answer." if life.gang.lost else ""
    return Step(
        state=State.STOPPING,
        reason=life.intent.failure.cause if life.intent.failure is not None else life.intent.reason.value,
        message=f"Waiting until the pods of attempt {life.intent.attempt} have ended: {names}.{lost}"
        if names
        else "Removing the Job.",
        status=life.status,
        delete=deletions(jobs),
        requeue_after=min(end_by_themselves or life.pace.look_again_seconds, life.pace.look_again_seconds),
    )


def _must_clean_up(life: StoppingAttempt) -> bool:
    """Whether the Job has to go: the pods of a failed run stay, so that their logs can be read.

    A Job whose last pods are on a lost node stays as long as they do, and is not waited for when they are given up.
    """
    if life.intent.reason is StopReason.FAIL or life.children.job is None:
        return False
    return not (life.children.job.is_deleting and any(life.gang.is_given_up(pod) for pod in life.gang.pods))


def _restart(life: StoppingAttempt, ended: TrainingRunStatus) -> Step:
    """The next attempt, after a back-off unless it was a disruption of an attempt that made progress."""
    intent, progressed = life.intent, has_progressed(life)
    restarts = (0 if progressed else life.status.restarts) + (1 if intent.counts_as_restart else 0)
    fruitless = 0 if progressed else life.status.fruitless_attempts + 1
    is_free = progressed and not intent.counts_as_restart
    delay = 0.0 if is_free else backoff(life.run.metadata.uid, life.attempt, max(restarts, fruitless), pace=life.pace)
    cause = intent.failure.cause if intent.failure is not None else intent.reason.value
    message = where_it_goes_on(life, f"Attempt {life.attempt} ended ({cause}). The next one starts in {delay:.0f} s")
    retry_at = life.clocks.after(delay) if delay > 0 else None
    return Step(
        state=State.RESTARTING,
        reason=cause,
        message=message,
        status=changed(ended, restarts=restarts, fruitless_attempts=fruitless, retry_at=retry_at),
        delete=deletions(life.children.own),
        events=(Event(EventReason.RESTARTING, message),),
        requeue_after=delay,
    )


def backoff(uid: str, attempt: int, failures: int, *, pace: Pace) -> float:
    """Seconds before the next attempt, after so many failures without progress: exponential back-off with jitter.

    They double up to a limit, within 20 % of that by the run's UID and attempt.
    """
    base = min(pace.restart_backoff_limit_seconds, pace.restart_backoff_seconds * 2.0 ** min(10, max(0, failures - 1)))
    jitter = hashlib.sha256(f"{uid}/{attempt}".encode()).digest()[0] / 255
    return float(base * (0.8 + 0.4 * jitter))


def where_it_goes_on(life: Life, what: str) -> str:
    """A sentence about what has happened, and from where the next pods go on: also their last words that are new are heard."""
    newest, search = checkpoint(life, life.status), tuning(life, life.status)
    if newest is not None:
        return f"{what}; {newest.stage.lower()} goes on after epoch {newest.epoch}."
    if search is not None and search.lasting:
        return f"{what}; tuning goes on after {search.lasting} of {search.trials} trials."
    return f"{what}; training begins anew: there is no checkpoint yet."
