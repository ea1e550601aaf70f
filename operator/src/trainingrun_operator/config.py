"""What the operator's administrator has chosen, as values; `settings` reads them from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from trainingrun.api import AcceleratorKind
from trainingrun_operator.name_servers import DEFAULT_SERVERS, NameServer
from trainingrun_operator.pace import Pace


class GangScheduler(StrEnum):
    """Schedulers that place all workers of an attempt or none."""

    KUBERNETES = "Kubernetes"
    COSCHEDULING = "Coscheduling"
    VOLCANO = "Volcano"


@dataclass(frozen=True)
class OperatorConfig:
    """What the operator's administrator has chosen."""

    trainer_image: str
    namespace: str
    """Where the operator runs: its pods may ask workers for their progress."""
    seed: bytes = field(repr=False)
    """Random, made anew by every process: secrets of children, which are created once, are derived from it."""
    accelerator_images: Mapping[AcceleratorKind, str] = field(default_factory=dict)
    """Trainer images for GPUs and TPUs."""
    architecture: str | None = None
    """Label `kubernetes.io/arch` of the nodes that can run these images; None: they are made for all that there are."""
    worker_user: int | None = 1000
    """User and group of workers whose run does not say; None: the cluster decides, as OpenShift does."""
    name_servers: tuple[NameServer, ...] = DEFAULT_SERVERS
    """Where workers may ask for names."""
    gang_scheduler: GangScheduler | None = None
    """Who places all workers of an attempt or none; None: the start time-out frees what a half-placed gang holds."""
    pace: Pace = field(default_factory=Pace)

    def trainer_image_for(self, accelerator: AcceleratorKind | None) -> str | None:
        """The image of a run that names none; None where the administrator has chosen none for its accelerator."""
        return self.trainer_image if accelerator is None else self.accelerator_images.get(accelerator)
