"""The operator's environment as a value. Nothing else reads `os.environ`."""

import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import ValidationError

from trainingrun.api import AcceleratorKind
from trainingrun_operator.model import GangScheduler, OperatorConfig
from trainingrun_operator.pace import Pace, Times, Timing, values

Some = TypeVar("Some", bound=Times)


@dataclass(frozen=True)
class Settings:
    """What the Deployment says."""

    config: OperatorConfig
    identity: str
    """Name of this replica in the Lease."""
    watch_namespace: str | None
    """The only namespace that is watched; None: all."""
    port: int = 8081
    workers: int = 8
    timing: Timing = field(default_factory=Timing)
    lease_name: str = "trainingrun-operator"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the environment.

        Raises ValueError naming the variable that is missing, or has no such value, and what values it may have.
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
                pace=_times(Pace, environment),
            ),
            identity=environment.get("POD_NAME") or socket.gethostname(),
            watch_namespace=environment.get("WATCH_NAMESPACE") or None,
            port=int(environment.get("PORT", "8081")),
            timing=_times(Timing, environment),
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


def _times(kind: type[Some], environment: Mapping[str, str]) -> Some:
    """The times that the environment changes, and the others as they are by default."""
    variables = {name: environment.get(name.upper()) for name in kind.model_fields}
    try:
        return kind.model_validate({name: value for name, value in variables.items() if value})
    except ValidationError as invalid:
        raise ValueError(_sentence(kind, invalid)) from None


def _sentence(kind: type[Times], invalid: ValidationError) -> str:
    """What is wrong with the first variable that has no such value."""
    first = invalid.errors(include_url=False)[0]
    if not first["loc"]:  # it is about two that do not fit together
        return f"{first['ctx']['error']}."
    name = str(first["loc"][0])
    return f"{name.upper()} is {first['input']}: it is {values(kind, name)}."
