"""What has been said about the current attempt, by its trainer and in Kubernetes Events?"""

from dataclasses import dataclass
from datetime import datetime

from trainingrun.api import TrainingRun
from trainingrun.contract import ProgressReport
from trainingrun_operator.life.clocks import Clocks
from trainingrun_operator.life.queue import Queue
from trainingrun_operator.model import Observed, Pod
from trainingrun_operator.pace import Pace
from trainingrun_operator.sight import Notice


@dataclass(frozen=True)
class Reports:
    """The trainer's reports, and what others say of objects of the run."""

    run: TrainingRun
    observed: Observed
    now: datetime
    clocks: Clocks
    queue: Queue
    pace: Pace

    @property
    def last(self) -> ProgressReport | None:
        """The last report about the current attempt."""
        report = self.observed.progress
        if report is None or report.attempt != self.run.status.attempt:
            return None
        # An address that another run's pod had before, or will have, may answer, too. Older trainers do not say whose they are.
        return report if report.run_uid in ("", self.run.metadata.uid) else None

    @property
    def fresh(self) -> ProgressReport | None:
        """The last report, unless it is of the time before a queue let the attempt's Job go."""
        changed, let_go = self.observed.progress_changed, self.clocks.let_go
        is_older = changed is not None and let_go is not None and changed < let_go
        return None if self.queue.is_held or is_older else self.last

    @property
    def seconds_until_hang(self) -> float | None:
        """Seconds until the trainer must have reported something new; None while it is not known when it last did.

        A worker that cannot be heard may well do something.
        """
        changed = self.observed.progress_changed
        if self.fresh is None or changed is None or self.unheard is not None:
            return None
        return self.run.spec.recovery.hang_timeout_seconds - (self.now - changed).total_seconds()

    @property
    def unheard(self) -> Pod | None:
        """Worker 0, when it has not answered for long although its kubelet hears it: the network may be at fault."""
        first = next((pod for pod in self.clocks.gang.pods if pod.index == 0), None)
        if first is None or not first.is_ready or first.has_ended or self.queue.is_held:
            return None
        known = [moment for moment in (self.clocks.started(first), self._heard) if moment is not None]
        if not known or (self.now - max(known)).total_seconds() < self.pace.silence_seconds:
            return None
        return first

    @property
    def _heard(self) -> datetime | None:
        """When worker 0 of this attempt answered last."""
        if self.last is None:
            return None
        return self.observed.progress_heard or self.now

    def notices_about(self, uid: str) -> tuple[Notice, ...]:
        """What Kubernetes Events say of an object, the newest first."""
        return tuple(notice for notice in self.observed.notices if notice.about == uid)
