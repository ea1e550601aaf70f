"""The operator's environment as a value. Nothing else reads `os.environ`."""

import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from trainingrun.api import AcceleratorKind
from trainingrun_operator.model import GangScheduler, OperatorConfig


@dataclass(frozen=True)
class Settings:
    """What the Deployment says. All times are in seconds."""

    config: OperatorConfig
    identity: str
    """Name of this replica in the Lease."""
    watch_namespace: str | None
    """The only namespace that is watched; None: all."""
    port: int = 8081
    workers: int = 8
    resync_seconds: float = 420.0
    poll_seconds: float = 2.0
    drain_seconds: float = 10.0
    lease_name: str = "trainingrun-operator"
    lease_duration: int = 15
    renew_deadline: int = 10
    retry_period: int = 2

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the environment.

        Raises ValueError naming the variable that is missing, or has no such value.
        """
        image = environment.get("TRAINER_IMAGE")
        if not image:
            raise ValueError("TRAINER_IMAGE is not set: it names the trainer image of runs that name none.")
        namespace = environment.get("POD_NAMESPACE") or "trainingrun-system"
        return cls(
            config=OperatorConfig(
                trainer_image=image,
                namespace=namespace,
                seed=secrets.token_bytes(32),
                accelerator_images=_accelerator_images(environment),
                gang_scheduler=_gang_scheduler(environment.get("GANG_SCHEDULER")),
            ),
            identity=environment.get("POD_NAME") or socket.gethostname(),
            watch_namespace=environment.get("WATCH_NAMESPACE") or None,
            port=int(environment.get("PORT", "8081")),
        )


def _gang_scheduler(value: str | None) -> GangScheduler | None:
    if not value:
        return None
    if value not in list(GangScheduler):
        raise ValueError(f"GANG_SCHEDULER is {value}: it is one of {', '.join(GangScheduler)}, or not set.")
    return GangScheduler(value)


def _accelerator_images(environment: Mapping[str, str]) -> dict[AcceleratorKind, str]:
    """The images for GPUs and TPUs, where the Deployment names them."""
    images = {kind: environment.get(f"TRAINER_IMAGE_{kind}") for kind in AcceleratorKind}
    return {kind: image for kind, image in images.items() if image}
