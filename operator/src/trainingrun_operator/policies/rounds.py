"""Begin another round: the run is run again, from the beginning, with the specification as it is now."""

from trainingrun.api import TrainingRunStatus
from trainingrun_operator.life import Life
from trainingrun_operator.model import Event, EventReason
from trainingrun_operator.status.ledger import opened
from trainingrun_operator.step import State, Step, deletions

_FORGOTTEN = (
    "checkpoint",
    "clock",
    "completion_time",
    "failure",
    "progress",
    "resolved",
    "result",
    "retry_at",
    "start_time",
    "stopping",
    "timeline",
    "tuning",
    "waiting_since",
)
"""What a round leaves behind: its history stays, and its files on the output under its own number."""


def next_round(life: Life, *, status: TrainingRunStatus) -> Step:
    """Forget what the last round achieved, and record which value of spec.rerun asked for this one."""
    number = life.status.round + 1
    message = f"Round {number} starts, as spec.rerun asks."
    return Step(
        state=State.STARTING,
        reason="Rerun",
        message=message,
        status=status.model_copy(
            update={
                **dict.fromkeys(_FORGOTTEN),
                "choices": (),
                "round": number,
                "rerun": life.run.spec.rerun,
                "restarts": 0,
                "fruitless_attempts": 0,
                "ledger": opened(life.now),
            }
        ),
        delete=deletions(life.own_children),
        events=(Event(EventReason.RERUN, message),),
        requeue_after=0.0,
    )
