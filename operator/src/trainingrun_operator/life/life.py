"""One look at a run, in any phase. What the policies ask of it is answered by a class for each kind of question."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from trainingrun.api import TrainingRun, TrainingRunStatus
from trainingrun_operator.config import OperatorConfig
from trainingrun_operator.life.children import Children
from trainingrun_operator.life.clocks import Clocks
from trainingrun_operator.life.gang import Gang
from trainingrun_operator.life.queue import Queue
from trainingrun_operator.life.reports import Reports
from trainingrun_operator.model import Observed
from trainingrun_operator.pace import Pace
from trainingrun_operator.resolution import Applied


def asks_for_rerun(run: TrainingRun) -> bool:
    """Whether spec.rerun has a value that was not there before; at first sight of a run it asks for nothing."""
    return not _is_new(run) and run.spec.rerun not in ("", run.status.rerun)


def _is_new(run: TrainingRun) -> bool:
    """Whether the operator has never written its status."""
    return run.status.observed_generation < 0


@dataclass(frozen=True)
class Life:
    """A run at one moment."""

    run: TrainingRun
    """As it applies: with the values of its preset."""
    observed: Observed
    now: datetime
    config: OperatorConfig
    preset: Applied | None
    """The preset that applies to the active attempt, or else to the next one."""

    @cached_property
    def children(self) -> Children:
        """What the operator has made."""
        return Children(self.run, self.observed)

    @cached_property
    def gang(self) -> Gang:
        """The pods."""
        return Gang(self.run, self.observed, self.now, self.children)

    @cached_property
    def queue(self) -> Queue:
        """Whether a queue holds the attempt back."""
        return Queue(self.run, self.children, self.gang)

    @cached_property
    def clocks(self) -> Clocks:
        """How long it takes."""
        return Clocks(self.run, self.observed, self.now, self.children, self.gang)

    @cached_property
    def reports(self) -> Reports:
        """What has been said."""
        return Reports(self.run, self.observed, self.now, self.clocks, self.queue, self.pace)

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
    def leaves_something(self) -> bool:
        """Whether a run that ends now leaves what does not end by itself: a Job that may start again, or pods that live on."""
        return self.queue.may_start_again or bool(self.gang.live)

    @property
    def wants_rerun(self) -> bool:
        """See `asks_for_rerun`."""
        return asks_for_rerun(self.run)

    def seen_rerun(self, status: TrainingRunStatus) -> str:
        """The value of spec.rerun that is on record after `status`.

        One that was answered stays there when the field is emptied: whoever puts it back, as GitOps does, asks for nothing.
        """
        return self.run.spec.rerun if _is_new(self.run) else status.rerun
