"""How long does it take? Every time-out counts from the moment that the operator first saw something, by its own clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from trainingrun.api import TrainingRun
from trainingrun_operator.life.children import Children
from trainingrun_operator.life.gang import Gang
from trainingrun_operator.model import Observed, Pod
from trainingrun_operator.sight import Sight, What


@dataclass(frozen=True)
class Clocks:
    """Seconds and moments of a run."""

    run: TrainingRun
    observed: Observed
    now: datetime
    children: Children
    gang: Gang

    @property
    def active_seconds(self) -> float:
        """Running time of all attempts so far, for activeDeadlineSeconds."""
        clock = self.run.status.clock
        if clock is None:
            return 0.0
        current = (self.now - clock.running_since).total_seconds() if clock.running_since is not None else 0.0
        return clock.active_seconds + max(0.0, current)

    @property
    def attempt_seconds(self) -> float:
        """Time since the attempt's Job was created, or since a queue last let it go."""
        timeline = self.run.status.timeline
        begun = self.let_go or (timeline.created if timeline is not None else None)
        return (self.now - begun).total_seconds() if begun is not None else 0.0

    @property
    def let_go(self) -> datetime | None:
        """Since when the attempt's Job may make its pods; None before."""
        job = self.children.job
        if job is None or job.is_suspended or job.is_resuming:
            return None
        return self.observed.seen.get(Sight(job.uid, What.LET_GO), job.started)

    @property
    def start_timeout_left(self) -> float:
        """Seconds until all workers must have a place, from then on anew until they must have started, and be ready."""
        reached = self._containers_started or self._placed
        waited = self.attempt_seconds if reached is None else (self.now - reached).total_seconds()
        return self.run.spec.recovery.start_timeout_seconds - waited

    @property
    def _placed(self) -> datetime | None:
        """When the last worker of the attempt was bound to a node; None while one has no place."""
        return self._all_seen(What.PLACED, {pod.uid: pod.scheduled for pod in self.gang.pods})

    @property
    def _containers_started(self) -> datetime | None:
        """When the last container of the attempt was started: an image may have been pulled until then."""
        return self._all_seen(What.STARTED, {pod.uid: pod.started for pod in self.gang.pods})

    def _all_seen(self, what: What, told: Mapping[str, datetime | None]) -> datetime | None:
        """When the last worker had come to this; None while one has not."""
        moments = [seen for uid, moment in told.items() if (seen := self._first_seen(uid, what, moment)) is not None]
        resolved = self.run.status.resolved
        wanted = resolved.replicas if resolved is not None else 0
        return max(moments) if moments and len(moments) >= wanted else None

    def ended(self, pod: Pod) -> datetime | None:
        """When a pod's trainer was first seen to have ended; None before, and of one that never ran."""
        return self._first_seen(pod.uid, What.ENDED, pod.finished)

    def started(self, pod: Pod) -> datetime | None:
        """When a pod's container was first seen to run; None before."""
        return self._first_seen(pod.uid, What.STARTED, pod.started)

    def _first_seen(self, uid: str, what: What, told: datetime | None) -> datetime | None:
        """When something was first seen here; `told` is its moment by another clock, None when it has not come yet."""
        return self.observed.seen.get(Sight(uid, what), told) if told is not None else None

    def until(self, moment: datetime) -> float:
        """Seconds until a moment; 0 when it has passed."""
        return max(0.0, (moment - self.now).total_seconds())

    def after(self, seconds: float) -> datetime:
        """The moment in so many seconds."""
        return self.now + timedelta(seconds=seconds)
