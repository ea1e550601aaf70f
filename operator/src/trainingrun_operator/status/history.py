"""The last attempts that have ended, one line each."""

from trainingrun.api import Failure, Outcome, PastAttempt, TrainingRunStatus
from trainingrun_operator.changes import changed
from trainingrun_operator.life import Life
from trainingrun_operator.status.measurements import checkpoint

LINES = 5


def with_ended_attempt(
    life: Life, status: TrainingRunStatus, outcome: Outcome, failure: Failure | None = None
) -> TrainingRunStatus:
    """The status with a line about the attempt that has ended now, unless there is one already."""
    if any(past.attempt == life.attempt for past in status.history):
        return status
    reached = checkpoint(life, status)
    clock = life.status.clock
    line = PastAttempt(
        round=life.status.round,
        attempt=life.attempt,
        outcome=outcome,
        cause=failure.cause if failure is not None else "",
        message=failure.message if failure is not None else "",
        epoch=reached.epoch if reached is not None else 0,
        start_time=clock.running_since if clock is not None else None,
        completion_time=life.now,
    )
    return changed(status, history=(*status.history, line)[-LINES:])
