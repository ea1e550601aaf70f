"""Was an object of the attempt refused? As invalid, which is final, or as forbidden, which a quota or a policy may lift."""

from trainingrun.api import Failure, Outcome
from trainingrun.contract import Cause, Stage
from trainingrun_operator.life import Life
from trainingrun_operator.model import Refusal
from trainingrun_operator.policies.stopping import attempt_over, failed
from trainingrun_operator.step import State, Step


def refused(life: Life, refusal: Refusal) -> Step:
    """What follows from a create that was refused."""
    answer = _for_ever if refusal.is_final else _for_now
    return answer(life, kind=refusal.kind, words=refusal.words)


def _for_ever(life: Life, *, kind: str, words: str) -> Step:
    """The run fails with the API server's own words: the same object would be refused again."""
    failure = Failure(
        cause=Cause.REFUSED,
        message=f"The API server refuses the {kind} of attempt {life.attempt}: {words}",
        attempt=life.attempt,
        hint="Correct the field that it names, together with a new value of spec.rerun.",
    )
    return failed(life, failure, status=attempt_over(life, Outcome.FAILED, failure))


def _for_now(life: Life, *, kind: str, words: str) -> Step:
    """The run waits: a quota may be freed, a policy changed."""
    seconds = life.pace.forbidden_retry_seconds
    return Step(
        state=State.STARTING,
        reason="Forbidden",
        message=f"The {kind} of attempt {life.attempt} may not be created now: {words} It is tried again every "
        f"{seconds:g} s; free some quota, or ask who administers the namespace.",
        status=life.status.model_copy(update={"stage": Stage.STARTING}),
        requeue_after=seconds,
    )
