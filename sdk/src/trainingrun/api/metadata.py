"""The part of Kubernetes object metadata that the operator reads."""

from pydantic import Field

from trainingrun.api.base import Timestamp, Tolerant


class OwnerReference(Tolerant):
    """Who an object belongs to."""

    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool = False


class ObjectMeta(Tolerant):
    """Identity of an object: the UID tells two objects of one name apart."""

    name: str
    namespace: str = ""
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
    owner_references: tuple[OwnerReference, ...] = ()
    creation_timestamp: Timestamp | None = None
    deletion_timestamp: Timestamp | None = None
