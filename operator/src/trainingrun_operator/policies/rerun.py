"""Is the run to be run again? What is left of the attempt before is stopped first, whatever state the run is in."""

from trainingrun.api import StopReason
from trainingrun_operator.life import Life
from trainingrun_operator.policies.rounds import next_round
from trainingrun_operator.policies.stopping import stop
from trainingrun_operator.step import Step


def rerun(life: Life) -> Step | None:
    """Answer a new value of spec.rerun: stop what runs, or begin the next round when nothing does."""
    if not life.wants_rerun:
        return None
    stopping = life.status.stopping
    if stopping is not None and stopping.reason is StopReason.RERUN:
        return None  # carry_out_stopping goes on with it
    if life.own_children or life.live_pods:
        return stop(life, reason=StopReason.RERUN)
    return next_round(life, status=life.status)
