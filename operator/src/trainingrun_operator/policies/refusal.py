"""Was an object of the attempt refused? As invalid, which is final, as forbidden, which may pass, or as somebody else's.

Before the gang has its Job the run waits, stalls or fails for that. Later it concerns an object that has been taken away while
the gang trains: that is no reason to stop it, unless the object can never be made again.
"""

from dataclasses import replace

from trainingrun.api import Failure, Outcome
from trainingrun.contract import Cause, Stage
from trainingrun_operator.changes import changed
from trainingrun_operator.life import ActiveAttempt
from trainingrun_operator.model import Refusal, RefusalReason
from trainingrun_operator.policies.failure import retry_or_fail
from trainingrun_operator.policies.hindrance import sentences
from trainingrun_operator.policies.ownership import name_conflict
from trainingrun_operator.policies.permission import missing_permission
from trainingrun_operator.policies.stopping import attempt_over, failed
from trainingrun_operator.policies.waiting import waiting_since
from trainingrun_operator.reasons import Reason
from trainingrun_operator.step import State, Step

_QUOTA = "exceeded quota"
_UNKNOWN_KIND = "could not find the requested resource"
"""In the words of an API server."""


def refused(life: ActiveAttempt, refusal: Refusal) -> Step | None:
    """What follows from a create that was refused; None when the gang trains on without the object."""
    if refusal.reason is RefusalReason.INVALID:
        failure = _failure(life, refusal)
        if life.children.job is not None:
            return retry_or_fail(life, failure, counts=True)  # the next attempt has other names and addresses
        return failed(life, failure, status=attempt_over(life, Outcome.FAILED, failure))
    if life.children.job is not None:
        return None
    if refusal.reason is RefusalReason.TAKEN:
        return name_conflict(life, kind=refusal.kind, name=refusal.name)
    return _wait(life, refusal)


def without(life: ActiveAttempt, step: Step, refusal: Refusal) -> Step:
    """The step of a gang that goes on although an object of its own is missing; it is tried again."""
    seconds = life.pace.forbidden_retry_seconds
    what = f"Its {refusal.kind} {refusal.name} is gone and cannot be made again now: {refusal.words}"
    soonest = seconds if step.requeue_after is None else min(seconds, step.requeue_after)
    return replace(step, message=f"{step.message} {what}", requeue_after=soonest)


def _failure(life: ActiveAttempt, refusal: Refusal) -> Failure:
    return Failure(
        cause=Cause.REFUSED,
        message=f"The API server refuses the {refusal.kind} of attempt {life.attempt}: {refusal.words}",
        attempt=life.attempt,
        hint="Correct the field that it names, together with a new value of spec.rerun.",
    )


def _wait(life: ActiveAttempt, refusal: Refusal) -> Step:
    """The run waits: a quota may be freed, a policy changed. Only of a quota it can be said that this comes by itself."""
    seconds = life.pace.forbidden_retry_seconds
    subject = f"The {refusal.kind} of attempt {life.attempt} may not be created now:"
    since = waiting_since(life.status, now=life.now, reason=Reason.FORBIDDEN, subject=subject)
    is_over = (life.now - since).total_seconds() >= life.run.spec.recovery.start_timeout_seconds
    return Step(
        state=State.STALLED if is_over and _QUOTA not in refusal.words else State.STARTING,
        reason=Reason.FORBIDDEN,
        message=sentences(subject + " " + refusal.words, _way_out(refusal), f"It is tried again every {seconds:g} s"),
        status=changed(life.status, stage=Stage.STARTING),
        requeue_after=seconds,
        waiting_since=since,
    )


def _way_out(refusal: Refusal) -> str:
    if _UNKNOWN_KIND in refusal.words:
        return f"The cluster has no {refusal.kind}: install the gang scheduler, or take GANG_SCHEDULER from the operator."
    return missing_permission(refusal.words) or "Free some quota, or ask who administers the namespace."
