"""One condition in the place of Reconciling and Stalled, and all else as it was written: where no policy could say more."""

from datetime import datetime

from trainingrun.api import Condition, TrainingRun, TrainingRunStatus
from trainingrun_operator.changes import changed
from trainingrun_operator.step import State


def told(
    run: TrainingRun, status: TrainingRunStatus, *, state: State, reason: str, message: str, now: datetime
) -> TrainingRunStatus:
    """This status, which the API server has accepted before, of a run that waits or is stalled."""
    kind = "Stalled" if state is State.STALLED else "Reconciling"
    known = status.condition(kind)
    made = Condition(
        type=kind,
        status="True",
        reason=reason,
        message=message,
        last_transition_time=known.last_transition_time if known is not None and known.status == "True" else now,
        observed_generation=run.metadata.generation,
    )
    others = tuple(each for each in status.conditions if each.type not in ("Stalled", "Reconciling"))
    columns = changed(status.columns, status=state.value) if status.columns is not None else None
    return changed(status, conditions=(*others, made), columns=columns)
