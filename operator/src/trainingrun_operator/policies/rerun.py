"""Is the run to be run again (spec.rerun)? What is left of the last attempt is stopped first, whatever state the run is in."""

from trainingrun.api import StopReason
from trainingrun_operator.life import Life, StoppingAttempt
from trainingrun_operator.policies.rounds import next_round
from trainingrun_operator.policies.stopping import stop
from trainingrun_operator.step import Step


def rerun(life: Life) -> Step | None:
    """Answer a new value of spec.rerun: stop what runs, or begin the next round when nothing does."""
    if not life.wants_rerun:
        return None
    if life.children.own or life.gang.live:
        return stop(life, reason=StopReason.RERUN)
    return next_round(life, status=life.status)


def rerun_instead(life: StoppingAttempt) -> Step | None:
    """A rerun takes the place of any other intent to stop."""
    return None if life.intent.reason is StopReason.RERUN else rerun(life)
