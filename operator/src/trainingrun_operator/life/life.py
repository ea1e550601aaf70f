"""One look at a run: what was asked for, what there is, and when. Everything that the policies ask of it is derived here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from trainingrun.api import LostNode, TrainingRun, TrainingRunStatus
from trainingrun.contract import ProgressReport
from trainingrun_operator import names
from trainingrun_operator.model import Child, Job, Observed, OperatorConfig, Pod, Service
from trainingrun_operator.pace import Pace
from trainingrun_operator.resolution import Applied
from trainingrun_operator.sight import Notice, Sight, What

LOST_NODE = "DeletionByTaintManager"
"""Reason of a pod's condition DisruptionTarget when its node has not answered for longer than the pod tolerates."""


def asks_for_rerun(run: TrainingRun) -> bool:
    """Whether spec.rerun has a value that was not there before; at first sight of a run it asks for nothing."""
    return not _is_new(run) and run.spec.rerun not in ("", run.status.rerun)


def _is_new(run: TrainingRun) -> bool:
    return run.status.observed_generation < 0


@dataclass(frozen=True)
class Life:
    """A run at one moment, in any phase."""

    run: TrainingRun
    """As it applies: with the values of its preset."""
    observed: Observed
    now: datetime
    config: OperatorConfig
    preset: Applied | None
    """The preset that applies to the active attempt, or else to the next one."""

    @property
    def status(self) -> TrainingRunStatus:
        """What the operator wrote last."""
        return self.run.status

    @property
    def pace(self) -> Pace:
        """How long the policies wait."""
        return self.config.pace

    @property
    def attempt(self) -> int:
        """Number of the current or last attempt; 0 before the first."""
        return self.status.attempt

    @property
    def own_children(self) -> tuple[Child, ...]:
        """Children that belong to this very run, of all attempts."""
        return tuple(child for child in self.observed.children if child.owner_uid == self.run.metadata.uid)

    @property
    def children(self) -> tuple[Child, ...]:
        """Children of the current attempt."""
        return tuple(child for child in self.own_children if child.attempt == self.attempt)

    @property
    def leftovers(self) -> tuple[Child, ...]:
        """Children of earlier attempts."""
        return tuple(child for child in self.own_children if child.attempt < self.attempt)

    @property
    def job(self) -> Job | None:
        """The Job of the current attempt."""
        return next((child for child in self.children if isinstance(child, Job)), None)

    @property
    def service(self) -> Service | None:
        """The rendezvous Service of the current attempt."""
        name = names.child_name(self.run.metadata.name, self.attempt)
        return next((child for child in self.children if isinstance(child, Service) and child.name == name), None)

    @property
    def pods(self) -> tuple[Pod, ...]:
        """Pods of the current attempt, by index."""
        return tuple(
            sorted((pod for pod in self._own_pods if pod.attempt == self.attempt), key=lambda pod: (pod.index, pod.name))
        )

    @property
    def _own_pods(self) -> tuple[Pod, ...]:
        """Pods that the Jobs of this very run control. Labels alone make no worker: anybody can copy them."""
        jobs = {child.name: child.uid for child in self.own_children if isinstance(child, Job)}

        def is_own(pod: Pod) -> bool:
            name = names.child_name(self.run.metadata.name, pod.attempt)
            has_job = pod.job_name == name and pod.job_uid == jobs.get(name, pod.job_uid)
            return has_job and pod.run_uid == self.run.metadata.uid

        return tuple(pod for pod in self.observed.pods if is_own(pod))

    @property
    def is_held(self) -> bool:
        """Whether a queue holds the attempt back, or will as soon as its Job is made: no clock of the attempt runs."""
        if self.job is not None:
            return self.job.is_suspended or self.job.is_resuming
        is_made = self.status.resolved is not None and self.has_started_job
        return names.QUEUE_LABEL in self.run.metadata.labels and not is_made

    @property
    def may_start_again(self) -> bool:
        """Whether the attempt's Job may make new pods although the old ones have ended: a queue has stopped it.

        Pods of a queued run that are taken away tell that too, when the Job was read a moment before it was stopped, or has
        been let go again since.
        """
        if self.job is None or self.job.is_deleting or self.job.is_over:
            return False
        taken = any(pod.is_deleting and not pod.is_live for pod in self.pods)
        return self.is_held or (names.QUEUE_LABEL in self.run.metadata.labels and taken)

    @property
    def leaves_something(self) -> bool:
        """Whether a run that ends now leaves what does not end by itself: a Job that may start again, or pods that live on."""
        return self.may_start_again or bool(self.live_pods)

    @property
    def outlived_pods(self) -> tuple[Pod, ...]:
        """Pods of the current attempt that still leave, since a queue has stopped its Job, while it has been let go again."""
        started = self.job.started if self.job is not None else None
        leaving = (pod for pod in self.pods if pod.is_live and pod.is_deleting)
        return tuple(pod for pod in leaving if started is not None and pod.created is not None and pod.created < started)

    @property
    def live_pods(self) -> tuple[Pod, ...]:
        """Pods of all attempts of this run that may still do something and are waited for."""
        return tuple(pod for pod in self._own_pods if pod.is_live and not self.is_given_up(pod))

    @property
    def lost_pods(self) -> tuple[Pod, ...]:
        """Pods of the current attempt on nodes that do not answer: they are deleted, but nobody is there to end them."""
        return tuple(pod for pod in self.pods if pod.is_live and pod.is_deleting and pod.disruption == LOST_NODE)

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

    @property
    def is_new(self) -> bool:
        """Whether the operator has never written the run's status."""
        return _is_new(self.run)

    @property
    def wants_rerun(self) -> bool:
        """See `asks_for_rerun`."""
        return asks_for_rerun(self.run)

    def seen_rerun(self, status: TrainingRunStatus) -> str:
        """The value of spec.rerun that is on record after `status`.

        One that was answered stays there when the field is emptied: whoever puts it back, as GitOps does, asks for nothing.
        """
        return self.run.spec.rerun if self.is_new else status.rerun

    @property
    def foreign_pods(self) -> tuple[Pod, ...]:
        """Pods of Jobs of an earlier run of this name."""
        return tuple(pod for pod in self.observed.pods if pod.run_uid != self.run.metadata.uid and pod.job_name)

    @property
    def has_started_job(self) -> bool:
        """Whether the attempt's Job has been seen: if it is missing later, somebody has deleted it."""
        return self.status.timeline is not None and self.status.timeline.created is not None

    @property
    def active_seconds(self) -> float:
        """Running time of all attempts so far."""
        clock = self.status.clock
        if clock is None:
            return 0.0
        current = (self.now - clock.running_since).total_seconds() if clock.running_since is not None else 0.0
        return clock.active_seconds + max(0.0, current)

    @property
    def attempt_seconds(self) -> float:
        """Time since the attempt's Job was created, or since a queue last let it go."""
        created = self.status.timeline.created if self.status.timeline is not None else None
        begun = self.let_go or created
        return (self.now - begun).total_seconds() if begun is not None else 0.0

    @property
    def let_go(self) -> datetime | None:
        """Since when the attempt's Job may make its pods; None before."""
        job = self.job
        if job is None or job.is_suspended or job.is_resuming:
            return None
        return self.observed.seen.get(Sight(job.uid, What.LET_GO), job.started)

    def _first_seen(self, uid: str, what: What, told: datetime | None) -> datetime | None:
        """When something was first seen here; `told` is its moment by another clock, None when it has not come yet."""
        return self.observed.seen.get(Sight(uid, what), told) if told is not None else None

    def ended(self, pod: Pod) -> datetime | None:
        """When a pod's trainer was first seen to have ended; None before, and of one that never ran."""
        return self._first_seen(pod.uid, What.ENDED, pod.finished)

    @property
    def placed(self) -> datetime | None:
        """When the last worker of the attempt was bound to a node; None while one has no place."""
        return self._all_seen(What.PLACED, {pod.uid: pod.scheduled for pod in self.pods})

    @property
    def containers_started(self) -> datetime | None:
        """When the last container of the attempt was started: an image may have been pulled until then."""
        return self._all_seen(What.STARTED, {pod.uid: pod.started for pod in self.pods})

    def _all_seen(self, what: What, told: Mapping[str, datetime | None]) -> datetime | None:
        """When the last worker had come to this; None while one has not."""
        moments = [seen for uid, moment in told.items() if (seen := self._first_seen(uid, what, moment)) is not None]
        wanted = self.status.resolved.replicas if self.status.resolved is not None else 0
        return max(moments) if moments and len(moments) >= wanted else None

    @property
    def start_timeout_left(self) -> float:
        """Seconds until all workers must have a place, from then on anew until they must have started, and be ready."""
        reached = self.containers_started or self.placed
        waited = self.attempt_seconds if reached is None else (self.now - reached).total_seconds()
        return self.run.spec.recovery.start_timeout_seconds - waited

    def notices_about(self, uid: str) -> tuple[Notice, ...]:
        """What Kubernetes Events say of an object, the newest first."""
        return tuple(notice for notice in self.observed.notices if notice.about == uid)

    @property
    def report(self) -> ProgressReport | None:
        """The last report about the current attempt."""
        report = self.observed.progress
        if report is None or report.attempt != self.attempt:
            return None
        # An address that another run's pod had before, or will have, may answer, too. Older trainers do not say whose they are.
        return report if report.run_uid in ("", self.run.metadata.uid) else None

    @property
    def fresh_report(self) -> ProgressReport | None:
        """The last report, unless it is of the time before a queue let the attempt's Job go."""
        changed, let_go = self.observed.progress_changed, self.let_go
        is_older = changed is not None and let_go is not None and changed < let_go
        return None if self.is_held or is_older else self.report

    @property
    def seconds_until_hang(self) -> float | None:
        """Seconds until the trainer must have reported something new; None while it is not known when it last did."""
        changed = self.observed.progress_changed
        if self.fresh_report is None or changed is None:
            return None
        return self.run.spec.recovery.hang_timeout_seconds - (self.now - changed).total_seconds()

    def seconds_until(self, moment: datetime) -> float:
        """Seconds until a moment; 0 when it has passed."""
        return max(0.0, (moment - self.now).total_seconds())

    def after(self, seconds: float) -> datetime:
        """The moment in so many seconds."""
        return self.now + timedelta(seconds=seconds)
