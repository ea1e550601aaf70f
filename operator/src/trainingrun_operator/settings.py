"""The operator's environment as a value. Nothing else reads `os.environ`."""

import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import ValidationError

from trainingrun.api import AcceleratorKind
from trainingrun_operator import name_servers
from trainingrun_operator.config import GangScheduler, OperatorConfig
from trainingrun_operator.name_servers import NameServer
from trainingrun_operator.pace import Pace, Times, Timing, values

NAMESPACE = "trainingrun-system"
PORT = 8081
CLUSTER = "Cluster"
DEFAULT_USER = 1000
_PORTS = "a whole number from 0 to 65535"

Some = TypeVar("Some", bound=Times)


@dataclass(frozen=True)
class Variable:
    """A variable of the environment that is no time, for its reference."""

    name: str
    default: str
    """What applies without it, in words."""
    meaning: str


VARIABLES = (
    Variable("TRAINER_IMAGE", "it must be set", "The trainer image of runs that name none."),
    *(
        Variable(
            f"TRAINER_IMAGE_{kind}", "such a run must name its image", f"The same, for runs with workers.accelerator {kind}."
        )
        for kind in AcceleratorKind
    ),
    Variable(
        "TRAINER_ARCHITECTURE",
        "any node",
        "Label `kubernetes.io/arch` of the nodes that can run these images, for example amd64; an image that a run or preset "
        "names may be of another one.",
    ),
    Variable(
        "WORKER_USER",
        str(DEFAULT_USER),
        "User and group of workers whose run has no securityContext, or Cluster: nothing is said, and the cluster decides, as "
        "OpenShift must.",
    ),
    Variable(
        "NAME_SERVERS",
        f"`{name_servers.DEFAULT}`",
        "Where workers may ask for names: pods as `namespace/label=value`, with `:port` if it is not 53, or addresses, apart "
        "by commas.",
    ),
    Variable(
        "GANG_SCHEDULER",
        "none: the start time-out frees what a half-placed gang holds",
        f"Who places all workers of an attempt or none: {', '.join(GangScheduler)}.",
    ),
    Variable("WATCH_NAMESPACE", "all namespaces", "The only namespace whose runs the operator looks after."),
    Variable("POD_NAMESPACE", NAMESPACE, "Where the operator runs: its Lease is there, and its pods may ask workers."),
    Variable("POD_NAME", "the name of the host", "Who this replica is in the Lease."),
    Variable("PORT", str(PORT), f"Where it answers `/livez`, `/readyz` and `/metrics`: {_PORTS}; 0 takes any that is free."),
)
"""All that `Settings` reads besides the times of `Pace` and `Timing`."""


@dataclass(frozen=True)
class Settings:
    """What the Deployment says."""

    config: OperatorConfig
    identity: str
    """Name of this replica in the Lease."""
    watch_namespace: str | None
    """The only namespace that is watched; None: all."""
    port: int = PORT
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
        namespace = environment.get("POD_NAMESPACE") or NAMESPACE
        return cls(
            config=OperatorConfig(
                trainer_image=image,
                namespace=namespace,
                seed=secrets.token_bytes(32),
                accelerator_images=_accelerator_images(environment),
                architecture=environment.get("TRAINER_ARCHITECTURE") or None,
                worker_user=_worker_user(environment.get("WORKER_USER")),
                name_servers=_name_servers(environment.get("NAME_SERVERS")),
                gang_scheduler=_gang_scheduler(environment.get("GANG_SCHEDULER")),
                pace=_times(Pace, environment),
            ),
            identity=environment.get("POD_NAME") or socket.gethostname(),
            watch_namespace=environment.get("WATCH_NAMESPACE") or None,
            port=_port(environment.get("PORT")),
            timing=_times(Timing, environment),
        )


def _gang_scheduler(value: str | None) -> GangScheduler | None:
    if not value:
        return None
    if value not in list(GangScheduler):
        raise ValueError(f"GANG_SCHEDULER is {value}: it is one of {', '.join(GangScheduler)}, or not set.")
    return GangScheduler(value)


def _worker_user(value: str | None) -> int | None:
    if value == CLUSTER:
        return None
    if not value:
        return DEFAULT_USER
    if not (value.isascii() and value.isdigit() and 0 < int(value) < 2**31):
        raise ValueError(f"WORKER_USER is {value}: it is the number of a user other than 0, or {CLUSTER}.")
    return int(value)


def _name_servers(value: str | None) -> tuple[NameServer, ...]:
    try:
        return name_servers.parse(value or name_servers.DEFAULT)
    except ValueError as problem:
        raise ValueError(f"NAME_SERVERS is {value}: {problem}.") from None


def _port(value: str | None) -> int:
    if not value:
        return PORT
    if not (value.isascii() and value.isdigit() and int(value) <= 65535):
        raise ValueError(f"PORT is {value}: it is {_PORTS}.")
    return int(value)


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
