"""What has the operator made for a run? Its Services, ConfigMap, NetworkPolicy, Job and, where there is one, PodGroup."""

from dataclasses import dataclass
from functools import cached_property

from trainingrun.api import TrainingRun
from trainingrun_operator import names
from trainingrun_operator.model import Child, Job, Observed, Service


@dataclass(frozen=True)
class Children:
    """The objects that this very run owns: by the UID of their controller, as there is no adoption of anybody else's."""

    run: TrainingRun
    observed: Observed

    @cached_property
    def own(self) -> tuple[Child, ...]:
        """Those of all attempts."""
        return tuple(child for child in self.observed.children if child.owner_uid == self.run.metadata.uid)

    @cached_property
    def of_attempt(self) -> tuple[Child, ...]:
        """Those of the current attempt."""
        return tuple(child for child in self.own if child.attempt == self.run.status.attempt)

    @property
    def leftovers(self) -> tuple[Child, ...]:
        """Those of earlier attempts."""
        return tuple(child for child in self.own if child.attempt < self.run.status.attempt)

    @cached_property
    def job(self) -> Job | None:
        """The Job of the current attempt."""
        return next((child for child in self.of_attempt if isinstance(child, Job)), None)

    @property
    def had_job(self) -> bool:
        """Whether the attempt's Job has been seen: if it is missing later, somebody has deleted it."""
        timeline = self.run.status.timeline
        return timeline is not None and timeline.created is not None

    @property
    def service(self) -> Service | None:
        """The rendezvous Service of the current attempt."""
        name = names.child_name(self.run.metadata.name, self.run.status.attempt)
        return next((child for child in self.of_attempt if isinstance(child, Service) and child.name == name), None)
