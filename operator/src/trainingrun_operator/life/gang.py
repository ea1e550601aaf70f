"""Which pods does a run have, and which of them may still do something?"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from trainingrun.api import LostNode, TrainingRun
from trainingrun_operator import names
from trainingrun_operator.life.children import Children
from trainingrun_operator.model import Job, Observed, Pod
from trainingrun_operator.sight import Sight, What

LOST_NODE = "DeletionByTaintManager"
"""Reason of a pod's condition DisruptionTarget when its node has not answered for longer than the pod tolerates."""


@dataclass(frozen=True)
class Gang:
    """The worker pods of a run."""

    run: TrainingRun
    observed: Observed
    now: datetime
    children: Children

    @cached_property
    def pods(self) -> tuple[Pod, ...]:
        """Pods of the current attempt, by index."""
        current = (pod for pod in self._own if pod.attempt == self.run.status.attempt)
        return tuple(sorted(current, key=lambda pod: (pod.index, pod.name)))

    @cached_property
    def _own(self) -> tuple[Pod, ...]:
        """Pods that the Jobs of this very run control. Labels alone make no worker: anybody can copy them."""
        jobs = {child.name: child.uid for child in self.children.own if isinstance(child, Job)}

        def is_own(pod: Pod) -> bool:
            name = names.child_name(self.run.metadata.name, pod.attempt)
            has_job = pod.job_name == name and pod.job_uid == jobs.get(name, pod.job_uid)
            return has_job and pod.run_uid == self.run.metadata.uid

        return tuple(pod for pod in self.observed.pods if is_own(pod))

    @cached_property
    def live(self) -> tuple[Pod, ...]:
        """Pods of all attempts of this run that may still do something and are waited for."""
        return tuple(pod for pod in self._own if pod.is_live and not self.is_given_up(pod))

    @property
    def lost(self) -> tuple[Pod, ...]:
        """Pods of the current attempt on nodes that do not answer: they are deleted, but nobody is there to end them."""
        return tuple(pod for pod in self.pods if pod.is_live and pod.is_deleting and pod.disruption == LOST_NODE)

    @property
    def outlived(self) -> tuple[Pod, ...]:
        """Pods of the current attempt that still leave, since a queue has stopped its Job, while it has been let go again."""
        started = self.children.job.started if self.children.job is not None else None
        leaving = (pod for pod in self.pods if pod.is_live and pod.is_deleting)
        return tuple(pod for pod in leaving if started is not None and pod.created is not None and pod.created < started)

    @property
    def foreign(self) -> tuple[Pod, ...]:
        """Pods of Jobs of an earlier run of this name."""
        return tuple(pod for pod in self.observed.pods if pod.run_uid != self.run.metadata.uid and pod.job_name)

    def is_given_up(self, pod: Pod) -> bool:
        """Whether a pod on a lost node is no longer waited for, as `lostNode: Replace` asks once its grace is over."""
        if self.run.spec.recovery.lost_node is not LostNode.REPLACE or pod.disruption != LOST_NODE:
            return False
        return pod.is_live and pod.deleted_by is not None and self.seconds_of_grace(pod) < 0

    def seconds_of_grace(self, pod: Pod) -> float:
        """Seconds that a pod which is being deleted still has to end by itself."""
        seen = self.observed.seen.get(Sight(pod.uid, What.DELETED))
        until = seen + timedelta(seconds=pod.grace_seconds) if seen is not None else pod.deleted_by or self.now
        return (until - self.now).total_seconds()
