"""Running time, for the deadline: it stands still while a queue, a quota or a policy keeps the attempt from having any pod."""

from trainingrun.api import Clock
from trainingrun.contract import Cause
from trainingrun_operator.changes import changed
from trainingrun_operator.life import Life
from trainingrun_operator.reasons import Reason
from trainingrun_operator.step import State, Step

_REFUSED = (Cause.QUOTA_EXCEEDED, Cause.FAILED_CREATE, Reason.FORBIDDEN, Reason.NAME_CONFLICT)


def clock(life: Life, step: Step) -> Clock | None:
    """The clock after a step: stopped while the attempt may have no pod, and running again once a look sees otherwise."""
    known = step.status.clock
    if known is None or step.status.resolved is None or step.state.is_final:
        return known
    if life.queue.is_held or (step.reason in _REFUSED and not life.gang.live):
        if step.state is State.STOPPING:
            return known
        return Clock(active_seconds=int(life.clocks.active_seconds), running_since=None)
    if known.running_since is None and life.children.job is not None:
        return changed(known, running_since=life.now)
    return known
