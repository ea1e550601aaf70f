"""Has the run ended? That is final (terminal): nothing is created again. Its objects go when their time to live (TTL) is over.

What it needs no more goes at once (`policies.freeing`), and so does what would not end by itself: a Job that a queue has
stopped, which would be let go again and start pods for nothing, and pods that something else than the trainer keeps alive. The
status that ends the run has `cleanup` then, the intent to delete that Job; a crash between the two writes loses nothing.
"""

from datetime import timedelta

from trainingrun.api import TrainingRun, TrainingRunStatus
from trainingrun_operator.changes import changed
from trainingrun_operator.decision import Decision
from trainingrun_operator.life import Life
from trainingrun_operator.model import Job
from trainingrun_operator.policies.freeing import freed
from trainingrun_operator.step import deletions


def is_at_rest(run: TrainingRun) -> bool:
    """Whether there is nothing to do about a finished run, so that its objects need not even be looked at."""
    is_seen = run.status.observed_generation == run.metadata.generation
    is_tidy = not _intends_cleanup(run.status)
    return run.status.is_finished and is_seen and is_tidy and run.spec.children_ttl_seconds_after_finished is None


def keep_result(life: Life) -> Decision:
    """Keep a finished run as it is, and remove its objects when `childrenTTLSecondsAfterFinished` have passed."""
    status = _seen(life)
    if _intends_cleanup(status):
        return _remove_job(life, status)
    patience = life.run.spec.children_ttl_seconds_after_finished
    ended = status.completion_time
    if patience is None or ended is None:
        return Decision(status=status)
    left = life.clocks.until(ended + timedelta(seconds=patience))
    if left > 0:
        return Decision(status=status, requeue_after=left)
    return Decision(status=status, delete=deletions(life.children.own))


def _intends_cleanup(status: TrainingRunStatus) -> bool:
    """Whether the run left what has to go. Until 2026-11-30 its condition Reconciling was the only word of that."""
    return status.cleanup is not None or status.condition("Reconciling") is not None


def _remove_job(life: Life, status: TrainingRunStatus) -> Decision:
    """Delete the Job that could start again, or whose pods live on; the run is tidy once it has gone, or has ended itself."""
    left = [child for child in life.children.own if isinstance(child, Job) and (not child.is_over or life.gang.live)]
    if left or life.gang.live:
        return Decision(status=status, delete=deletions(left), requeue_after=life.pace.look_again_seconds)
    others = tuple(condition for condition in status.conditions if condition.type != "Reconciling")
    return Decision(status=changed(status, cleanup=None, conditions=others), delete=freed(life), requeue_after=0.0)


def _seen(life: Life) -> TrainingRunStatus:
    """The status with the generation that was looked at: no change of a finished run's spec changes how it ended."""
    generation = life.run.metadata.generation
    judged = tuple(changed(each, observed_generation=generation) for each in life.status.conditions)
    return changed(life.status, observed_generation=generation, conditions=judged, rerun=life.seen_rerun(life.status))
