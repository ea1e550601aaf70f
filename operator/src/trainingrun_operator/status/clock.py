"""Running time, for the deadline: it stands still while a queue holds the attempt back."""

from trainingrun.api import Clock
from trainingrun_operator.life import Life
from trainingrun_operator.step import State, Step


def clock(life: Life, step: Step) -> Clock | None:
    """The clock after a step: stopped in the queue, and running again from the moment that the Job was let go."""
    known = step.status.clock
    if known is None or step.status.resolved is None or step.state.is_final:
        return known
    if life.is_held:
        return known if step.state is State.STOPPING else Clock(active_seconds=int(life.active_seconds), running_since=None)
    if known.running_since is None and life.job is not None:
        return known.model_copy(update={"running_since": life.let_go})
    return known
