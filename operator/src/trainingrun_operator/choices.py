"""What the operator's administrator chooses besides times: where it is, what it watches, and what runs get.

Every field is an environment variable of the operator, whose name is the field's in capitals. This is the only place that says
its default, its bounds and what it means: settings are read, and their reference and the chart's schema are written, from here.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from trainingrun_operator import name_servers
from trainingrun_operator.config import GangScheduler

NAMESPACE = "trainingrun-system"
PORT = 8081
CLUSTER = "Cluster"
DEFAULT_USER = 1000

_IMAGE = r"^[^\s@]+(@sha256:[0-9a-f]{64})?$"
_LABEL_VALUE = r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$"
_NAMESPACE = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"

IMAGE_WORDS = "the name of an image, such as registry.example/team/trainer:1.0 or registry.example/team/trainer@sha256:..."
PORT_WORDS = "a whole number from 0 to 65535"


def _variable(default: Any, *, meaning: str, values: str, without: str, **bounds: Any) -> Any:
    """A field that says in words what it means, what it may be, and what applies without it."""
    return Field(default, description=meaning, json_schema_extra={"values": values, "without": without}, **bounds)


def _image(*, meaning: str, without: str) -> Any:
    return _variable(None, meaning=meaning, values=IMAGE_WORDS, without=without, pattern=_IMAGE)


def _accelerator_image(kind: str) -> Any:
    meaning = f"The same, for runs with workers.accelerator {kind}."
    return _image(meaning=meaning, without="such a run must name its image")


def _servers(value: str) -> str:
    name_servers.parse(value)
    return value


def _apart(value: object) -> object:
    """The names in a text that has them apart by commas, each once."""
    if not isinstance(value, str):
        return value
    return tuple(dict.fromkeys(name for each in value.split(",") if (name := each.strip())))


class Choices(BaseModel):
    """What an administrator chooses. None: nothing is chosen, and the field's `without` says what applies."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    trainer_image: str | None = _image(meaning="The trainer image of runs that name none.", without="it must be set")
    trainer_image_gpu: str | None = _accelerator_image("GPU")
    trainer_image_tpu: str | None = _accelerator_image("TPU")
    trainer_architecture: str | None = _variable(
        None,
        meaning="Label `kubernetes.io/arch` of the nodes that can run these images; an image that a run or preset names may be "
        "of another one.",
        values="the value of a label, such as amd64",
        without="any node",
        pattern=_LABEL_VALUE,
    )
    worker_user: Annotated[int, Field(ge=1, lt=2**31)] | Literal["Cluster"] = _variable(
        DEFAULT_USER,
        meaning=f"User and group of workers whose run has no securityContext. {CLUSTER}: nothing is said, and the "
        "cluster decides, as OpenShift must.",
        values=f"the number of a user other than 0, or {CLUSTER}",
        without=str(DEFAULT_USER),
    )
    name_servers: Annotated[str, AfterValidator(_servers)] = _variable(
        name_servers.DEFAULT,
        meaning="Where workers may ask for names.",
        values=f"pods as `namespace/label=value`, with `:port` if it is not {name_servers.DNS_PORT}, or addresses, apart by "
        "commas",
        without=f"`{name_servers.DEFAULT}`",
    )
    gang_scheduler: GangScheduler | None = _variable(
        None,
        meaning="Who places all workers of an attempt or none.",
        values=f"one of {', '.join(GangScheduler)}, or not set",
        without="none: the start time-out frees what a half-placed gang holds",
    )
    watch_namespaces: Annotated[
        tuple[Annotated[str, Field(pattern=f"^{_NAMESPACE}$")], ...] | None, BeforeValidator(_apart)
    ] = _variable(
        None,
        meaning="The only namespaces whose runs the operator looks after.",
        values="names of namespaces, apart by commas",
        without="all namespaces",
        min_length=1,
    )
    pod_namespace: str = _variable(
        NAMESPACE,
        meaning="Where the operator runs: its Lease is there, and its pods may ask workers.",
        values="the name of a namespace",
        without=NAMESPACE,
        pattern=f"^{_NAMESPACE}$",
    )
    pod_name: str | None = _variable(
        None, meaning="Who this replica is in the Lease.", values="any text", without="the name of the host"
    )
    port: int = _variable(
        PORT,
        meaning="Where it answers `/livez`, `/readyz` and `/metrics`; 0 takes any that is free.",
        values=PORT_WORDS,
        without=str(PORT),
        ge=0,
        le=65535,
    )


def values(name: str) -> str:
    """The values that a choice may have, in words."""
    return _said(name)["values"]


def without(name: str) -> str:
    """What applies without a choice, in words."""
    return _said(name)["without"]


def _said(name: str) -> dict[str, str]:
    extra = Choices.model_fields[name].json_schema_extra
    assert isinstance(extra, dict)
    return {word: str(text) for word, text in extra.items()}
