"""What the client needs of a cluster. `kube` answers it with a real one; tests may with anything.

Objects are dictionaries as the API server writes them: what they mean is read one step further in.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple, Protocol

Object = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """A kind of object."""

    group: str
    """Empty for Kubernetes' core."""
    version: str
    name: str
    plural: str
    is_namespaced: bool = True

    @property
    def api_version(self) -> str:
        """As a manifest has it."""
        return f"{self.group}/{self.version}" if self.group else self.version


RUN = Kind("trainingrun.dev", "v1alpha1", "TrainingRun", "trainingruns")
PRESET = Kind("trainingrun.dev", "v1alpha1", "TrainingPreset", "trainingpresets", is_namespaced=False)
POD = Kind("", "v1", "Pod", "pods")
EVENT = Kind("", "v1", "Event", "events")
CLAIM = Kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims")
CONFIG_MAP = Kind("", "v1", "ConfigMap", "configmaps")
DEPLOYMENT = Kind("apps", "v1", "Deployment", "deployments")
LOCAL_QUEUE = Kind("kueue.x-k8s.io", "v1beta1", "LocalQueue", "localqueues")
DEFINITION = Kind("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", is_namespaced=False)
REVIEW = Kind("authorization.k8s.io", "v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews", is_namespaced=False)


class Listed(NamedTuple):
    """What a list has found, and the version from which a watch goes on."""

    items: Sequence[Object]
    resource_version: str


class Executed(NamedTuple):
    """How a command in a container has ended."""

    exit_code: int
    errors: str
    """What it wrote to standard error."""


class Sink(Protocol):
    """Takes what a command writes."""

    def write(self, data: bytes, /) -> int:
        """Take all of it."""
        ...


class Cluster(Protocol):
    """A cluster, with the rights of one user.

    Every method raises UnreachableError when the API server does not answer, and RefusedError when it says no: NotFoundError
    for an object or a kind that is not there. `namespace` None means the one of the context; `ALL` all of them.
    """

    @property
    def namespace(self) -> str:
        """The namespace of the context."""
        ...

    def close(self) -> None:
        """Close all connections."""
        ...

    def get(self, kind: Kind, name: str, *, namespace: str | None = None) -> Object:
        """The object of this name."""
        ...

    def list(
        self,
        kind: Kind,
        *,
        namespace: str | None = None,
        labels: Mapping[str, str] | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> Listed:
        """All objects with these labels and fields."""
        ...

    def watch(
        self,
        kind: Kind,
        *,
        since: str,
        seconds: int,
        namespace: str | None = None,
        labels: Mapping[str, str] | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> Iterator[tuple[str, Object]]:
        """ADDED, MODIFIED or DELETED and the object, for every change after a version, for so many seconds.

        Raises ExpiredError for a version that is forgotten.
        """
        ...

    def create(self, kind: Kind, manifest: Object, *, namespace: str | None = None, dry_run: bool = False) -> Object:
        """Make an object; `dry_run` only asks whether it would be taken."""
        ...

    def apply(self, kind: Kind, manifest: Object, *, namespace: str | None = None, dry_run: bool = False) -> Object:
        """Make an object, or make it so: server-side apply, which takes fields from other managers."""
        ...

    def patch(self, kind: Kind, name: str, changes: Object, *, namespace: str | None = None, dry_run: bool = False) -> Object:
        """JSON merge patch."""
        ...

    def delete(self, kind: Kind, name: str, *, namespace: str | None = None, grace_seconds: int | None = None) -> None:
        """Delete an object."""
        ...

    def log(
        self, pod: str, *, namespace: str | None = None, container: str, follow: bool = False, since_seconds: int | None = None
    ) -> Iterator[str]:
        """The lines of a container's log."""
        ...

    def execute(
        self,
        pod: str,
        command: Sequence[str],
        *,
        namespace: str | None = None,
        stdin: BinaryIO | None = None,
        stdout: Sink | None = None,
    ) -> Executed:
        """Run a command in a pod's first container, with these streams, until it ends."""
        ...


ALL = "*"
"""All namespaces, where a namespace is asked for."""
