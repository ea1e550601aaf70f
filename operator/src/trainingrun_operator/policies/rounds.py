"""Begin another round: the run is run again, from the beginning, with the specification as it is now."""

from trainingrun.api import TrainingRunStatus
from trainingrun_operator.decision import Event, EventReason
from trainingrun_operator.life import Life
from trainingrun_operator.status.ledger import opened
from trainingrun_operator.step import State, Step, deletions


def next_round(life: Life, *, status: TrainingRunStatus) -> Step:
    """Forget what the last round achieved, and record which value of spec.rerun asked for this one.

    Its history stays, and its files on the output under its own number.
    """
    number = life.status.round + 1
    message = f"Round {number} starts, as spec.rerun asks."
    return Step(
        state=State.STARTING,
        reason="Rerun",
        message=message,
        status=TrainingRunStatus(
            observed_generation=status.observed_generation,
            conditions=status.conditions,
            columns=status.columns,
            stage=status.stage,
            round=number,
            attempt=status.attempt,
            rerun=life.run.spec.rerun,
            ledger=opened(life.now),
            history=status.history,
            trainer=status.trainer,
        ),
        delete=deletions(life.children.own),
        events=(Event(EventReason.RERUN, message),),
        requeue_after=0.0,
    )
