"""The operator's environment as a value. Nothing else reads `os.environ`."""

import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from trainingrun.api import AcceleratorKind
from trainingrun_operator import choices, name_servers
from trainingrun_operator.choices import PORT, Choices
from trainingrun_operator.config import OperatorConfig
from trainingrun_operator.pace import Pace, Times, Timing, values

Some = TypeVar("Some", bound=BaseModel)


@dataclass(frozen=True)
class Settings:
    """What the Deployment says."""

    config: OperatorConfig
    identity: str
    """Name of this replica in the Lease."""
    watch_namespaces: tuple[str, ...] | None
    """The only namespaces that are watched; None: all."""
    port: int = PORT
    workers: int = 8
    timing: Timing = field(default_factory=Timing)
    lease_name: str = "trainingrun-operator"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the environment.

        Raises ValueError naming the variable that is missing, or has no such value, and what values it may have.
        """
        chosen = _read(Choices, environment)
        if chosen.trainer_image is None:
            raise ValueError("TRAINER_IMAGE is not set: it names the trainer image of runs that name none.")
        images = {kind: getattr(chosen, f"trainer_image_{kind.lower()}") for kind in AcceleratorKind}
        return cls(
            config=OperatorConfig(
                trainer_image=chosen.trainer_image,
                namespace=chosen.pod_namespace,
                seed=secrets.token_bytes(32),
                accelerator_images={kind: image for kind, image in images.items() if image},
                architecture=chosen.trainer_architecture,
                worker_user=chosen.worker_user if isinstance(chosen.worker_user, int) else None,
                name_servers=name_servers.parse(chosen.name_servers),
                gang_scheduler=chosen.gang_scheduler,
                pace=_read(Pace, environment),
            ),
            identity=chosen.pod_name or socket.gethostname(),
            watch_namespaces=chosen.watch_namespaces,
            port=chosen.port,
            timing=_read(Timing, environment),
        )


def _read(kind: type[Some], environment: Mapping[str, str]) -> Some:
    """What the environment sets, and the others as they are by default. A variable that is empty is not set."""
    variables = {name: environment.get(name.upper()) for name in kind.model_fields}
    try:
        return kind.model_validate({name: value for name, value in variables.items() if value})
    except ValidationError as invalid:
        raise ValueError(_sentence(kind, invalid, variables)) from None


def _sentence(kind: type[BaseModel], invalid: ValidationError, variables: Mapping[str, str | None]) -> str:
    """What is wrong with the first variable that has no such value."""
    first = invalid.errors(include_url=False)[0]
    cause = first.get("ctx", {}).get("error")
    if not first["loc"]:  # it is about two that do not fit together
        return f"{cause}."
    name = str(first["loc"][0])
    if cause is not None:  # a check of our own, which says more than what all values have in common
        return f"{name.upper()} is {variables[name]}: {cause}."
    words = values(kind, name) if issubclass(kind, Times) else choices.values(name)
    return f"{name.upper()} is {variables[name]}: it is {words}."
