"""Does a queue (Kueue) hold the attempt back, or may it start it once more?"""

from dataclasses import dataclass

from trainingrun.api import TrainingRun
from trainingrun_operator import names
from trainingrun_operator.life.children import Children
from trainingrun_operator.life.gang import Gang


@dataclass(frozen=True)
class Queue:
    """What a queue does with the attempt, as its Job shows it."""

    run: TrainingRun
    children: Children
    gang: Gang

    @property
    def is_held(self) -> bool:
        """Whether a queue holds the attempt back, or will as soon as its Job is made: no clock of the attempt runs."""
        job = self.children.job
        if job is not None:
            return job.is_suspended or job.is_resuming
        is_made = self.run.status.resolved is not None and self.children.had_job
        return names.QUEUE_LABEL in self.run.metadata.labels and not is_made

    @property
    def may_start_again(self) -> bool:
        """Whether the attempt's Job may make new pods although the old ones have ended: a queue has stopped it.

        Pods of a queued run that are taken away tell that too, when the Job was read a moment before it was stopped, or has
        been let go again since.
        """
        job = self.children.job
        if job is None or job.is_deleting or job.is_over:
            return False
        taken = any(pod.is_deleting and not pod.is_live for pod in self.gang.pods)
        return self.is_held or (names.QUEUE_LABEL in self.run.metadata.labels and taken)
