"""What every stage gets: the configuration, the gang, and where to write and report."""

from collections.abc import Callable
from dataclasses import dataclass, field

from trainingrun.contract import AttemptConfig
from trainingrun_trainer.choosing.found import Found
from trainingrun_trainer.parallel.gang import Gang
from trainingrun_trainer.patience import Patience
from trainingrun_trainer.progress import Progress
from trainingrun_trainer.settings import OutputPaths, Settings


@dataclass(frozen=True)
class Context:
    """The surroundings of a stage on one rank."""

    config: AttemptConfig
    settings: Settings
    paths: OutputPaths
    gang: Gang
    progress: Progress
    is_interrupted: Callable[[], bool]
    """Whether this rank has been told to stop."""
    patience: Patience = field(default_factory=Patience)
    """With storage; `paths` have it already."""
    found: tuple[Found, ...] = ()
    """What `Auto` has become, as the configuration then says."""

    @property
    def is_chief(self) -> bool:
        """Whether this rank writes the output."""
        return self.gang.rank == 0

    @property
    def batch_size(self) -> int:
        """Samples of one pass of one device. `Auto` has become a number before anything is trained."""
        size = self.config.training.batch_size
        assert isinstance(size, int), "the stage that chooses has not run"
        return size

    @property
    def step_samples(self) -> int:
        """Samples of one step of one rank, on all its devices, in all their passes."""
        return self.batch_size * self.config.backward_passes_per_step * self.gang.devices

    @property
    def step_batches(self) -> int:
        """Batches of one step of all ranks."""
        return self.gang.size * self.gang.devices * self.config.backward_passes_per_step
