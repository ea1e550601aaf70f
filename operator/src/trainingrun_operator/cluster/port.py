"""What the operator needs of a cluster, small enough to be played by an in-memory one in tests."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from trainingrun.api import ObjectMeta
from trainingrun_operator.decision import Deletion, Event
from trainingrun_operator.model import Manifest, Reference

Raw = Mapping[str, Any]

CHILD_KINDS = ("Service", "ConfigMap", "NetworkPolicy", "Job")
"""Children of every attempt; a PodGroup is one where a gang scheduler is configured."""


class ClusterError(Exception):
    """A call to the API server failed."""


class NotFoundError(ClusterError):
    """The object does not exist (404)."""


class AlreadyExistsError(ClusterError):
    """An object of this name exists (409 on create)."""


class ConflictError(ClusterError):
    """A precondition does not hold any more (409): look again."""


class InvalidError(ClusterError):
    """The API server refuses the object as it is (400, 422): trying again is useless."""


class ForbiddenError(ClusterError):
    """Not allowed now (403): a quota, a policy, or missing permissions."""


class BusyError(ClusterError):
    """Too many requests, a server error, or no connection; `retry_after` is in seconds, if the server said."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Cluster(Protocol):
    """Reads are quorum reads: they never return less than what was written before."""

    async def get_run(self, namespace: str, name: str) -> Raw | None:
        """The TrainingRun, or None."""

    async def list_runs(self, namespace: str | None) -> Sequence[Raw]:
        """All TrainingRuns of a namespace, or of all."""

    async def list_children(self, namespace: str, run: str) -> Sequence[Raw]:
        """Services, ConfigMaps, NetworkPolicies and Jobs with the run's label, each with its kind.

        PodGroups, too, where they may be listed: most runs need none.
        """

    async def list_pods(self, namespace: str, run: str) -> Sequence[Raw]:
        """Pods with the run's label."""

    async def find(self, namespace: str, kind: str, name: str) -> Raw | None:
        """The object of a child's kind with this name, whosever it is, or None."""

    async def get_claim(self, namespace: str, name: str) -> Raw | None:
        """The PersistentVolumeClaim, or None."""

    async def may_exist(self, namespace: str, reference: Reference) -> bool:
        """Whether a Secret or ConfigMap exists; also true when the operator is not allowed to look."""

    async def get_preset(self, name: str) -> Raw | None:
        """The TrainingPreset, or None; raises ForbiddenError."""

    async def list_workloads(self, namespace: str, job_uid: str) -> Sequence[Raw] | None:
        """Kueue's Workloads of a Job; none also when they may not be read, and None when there is no such kind."""

    async def list_events(self, namespace: str, uid: str) -> Sequence[Raw]:
        """Events about the object of this UID; none also when they may not be read."""

    async def list_nodes(self) -> Sequence[Raw]:
        """All nodes; raises ForbiddenError when the operator is not allowed to look."""

    async def create(self, manifest: Manifest) -> None:
        """Create an object; raises AlreadyExistsError, InvalidError, ForbiddenError or BusyError."""

    async def delete(self, namespace: str, deletion: Deletion) -> None:
        """Delete an object with its dependents first; a missing one is fine.

        Raises ConflictError when it has another UID, or changes just now: what is there has to be looked at again.
        """

    async def apply_status(self, run: ObjectMeta, *, status: Manifest) -> None:
        """Server-side apply of the whole status of this very run as it was read.

        Raises ConflictError when it is another run by now, or has changed: a leader that was held up between reading and
        writing must not put back what its successor has moved on.

        The status holds no empty object: where one takes the place of an object with fields, the API server stores null
        and then refuses it (seen with 1.37.2).
        """

    async def emit(self, run: Raw, event: Event) -> None:
        """Create a Kubernetes Event on the run."""
