"""Does a queue hold the attempt back? Kueue suspends the Job (preemption) and lets it go (admission); the operator tells why.

When Kueue preempts an attempt its pods write a checkpoint and go, and the same Job gets new ones later: it keeps its place in
the queue, and no restart is counted. New pods must find a clean stage, though. A Job that cannot give the whole gang any more,
or that is let go while pods from before are still there, is replaced: the next attempt queues again.
"""

from trainingrun.api import Failure, StopReason
from trainingrun.contract import Cause
from trainingrun_operator import names
from trainingrun_operator.decision import Event, EventReason
from trainingrun_operator.life import ActiveAttempt
from trainingrun_operator.model import Workload
from trainingrun_operator.policies.stopping import stop, where_it_goes_on
from trainingrun_operator.reasons import Reason
from trainingrun_operator.status.measurements import checkpoint, tuning
from trainingrun_operator.step import State, Step


def wait_in_queue(life: ActiveAttempt) -> Step | None:
    """Wait until the queue admits the attempt. What its old pods left behind is no failure, and no clock runs."""
    job = life.children.job
    if job is None or job.is_deleting:
        return None
    if job.is_resuming:
        return Step(State.STARTING, "Starting", f"Attempt {life.attempt} is admitted.", life.status)
    if not job.is_suspended:
        return _replace(life, "Kueue has let it go before its old pods had ended.") if life.gang.outlived else None
    if life.gang.live:
        return _leaving(life)
    if not job.is_whole:
        return _replace(life, "Kueue has stopped it when a worker had already ended, so that its Job cannot start them all.")
    return _queued(life)


def _leaving(life: ActiveAttempt) -> Step:
    """The attempt is over for now, but its pods still write their checkpoint."""
    word = _word(life)
    message = f"The queue has stopped attempt {life.attempt} ({word.reason}): its pods write a checkpoint and go."
    return Step(
        state=State.STOPPING,
        reason=word.reason,
        message=message,
        status=life.status,
        events=(Event(EventReason.STOPPING, message),) if _is_new(life, State.STOPPING) else (),
    )


def _queued(life: ActiveAttempt) -> Step:
    word = _word(life)
    waits = f"Attempt {life.attempt} waits in the queue {_queue(life)} ({word.reason})"
    message = f"{waits}: {word.message}" if word.message else f"{waits}."
    has_run = checkpoint(life, life.status) is not None or tuning(life, life.status) is not None
    state = State.QUEUED if life.observed.has_kueue and word.is_active else State.STALLED
    return Step(
        state=state,
        reason=word.reason,
        message=where_it_goes_on(life, message.rstrip(".")) if has_run else message,
        status=life.status,
        events=(Event(EventReason.QUEUED, message),) if _is_new(life, state) else (),
        requeue_after=life.pace.queue_first_look_seconds if _may_speak_soon(life) else life.pace.queue_look_again_seconds,
    )


def _word(life: ActiveAttempt) -> Workload:
    """What is known about why the Job is held."""
    if not life.observed.has_kueue:
        return Workload(
            reason=Reason.NO_KUEUE,
            message=f"there is no Kueue in the cluster. Install it, or remove the label {names.QUEUE_LABEL} and give "
            "spec.rerun a new value.",
        )
    return life.observed.workload or Workload(reason="Pending", message="")


def _may_speak_soon(life: ActiveAttempt) -> bool:
    """Kueue needs a moment for its first word about a new Job."""
    return life.observed.workload is None and life.clocks.attempt_seconds < life.pace.queue_look_again_seconds


def _is_new(life: ActiveAttempt, state: State) -> bool:
    return life.status.columns is None or life.status.columns.status != state


def _queue(life: ActiveAttempt) -> str:
    return life.run.metadata.labels.get(names.QUEUE_LABEL) or "that suspends its Job"


def _replace(life: ActiveAttempt, why: str) -> Step:
    """The next attempt, which costs no restart."""
    failure = Failure(cause=Cause.PREEMPTED, message=f"Attempt {life.attempt} cannot go on: {why}", attempt=life.attempt)
    return stop(life, reason=StopReason.RESTART, failure=failure)
