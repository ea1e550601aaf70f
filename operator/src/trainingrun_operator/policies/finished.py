"""Has the run ended? That is final: nothing is created again. Its objects go when their time to live is over."""

from datetime import timedelta

from trainingrun.api import TrainingRun, TrainingRunStatus
from trainingrun_operator.life import Life
from trainingrun_operator.model import Decision
from trainingrun_operator.step import deletions


def is_at_rest(run: TrainingRun) -> bool:
    """Whether there is nothing to do about a finished run, so that its objects need not even be looked at."""
    is_seen = run.status.observed_generation == run.metadata.generation
    return run.status.is_finished and is_seen and run.spec.children_ttl_seconds_after_finished is None


def keep_result(life: Life) -> Decision:
    """Keep a finished run as it is, and remove its objects when `childrenTTLSecondsAfterFinished` have passed."""
    status = _seen(life)
    patience = life.run.spec.children_ttl_seconds_after_finished
    ended = status.completion_time
    if patience is None or ended is None:
        return Decision(status=status)
    left = life.seconds_until(ended + timedelta(seconds=patience))
    if left > 0:
        return Decision(status=status, requeue_after=left)
    return Decision(status=status, delete=deletions(life.own_children))


def _seen(life: Life) -> TrainingRunStatus:
    """The status with the generation that was looked at: no change of a finished run's spec changes how it ended."""
    generation = life.run.metadata.generation
    judged = tuple(each.model_copy(update={"observed_generation": generation}) for each in life.status.conditions)
    changes = {"observed_generation": generation, "conditions": judged, "rerun": life.seen_rerun(life.status)}
    return life.status.model_copy(update=changes)
