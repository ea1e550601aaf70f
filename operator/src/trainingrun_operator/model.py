"""What is observed, as values. Nothing here has behaviour that could fail."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from trainingrun.api import TrainingPreset
from trainingrun.contract import FinalRecord, ProgressReport
from trainingrun_operator.node import Node
from trainingrun_operator.sight import Notice, Sight

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Child:
    """An object that carries the run's label, or has a name that the operator wants."""

    kind: str
    name: str
    uid: str
    owner_uid: str
    """UID of its controller; empty when it has none."""
    owner_name: str
    attempt: int
    is_deleting: bool = False


@dataclass(frozen=True)
class Service(Child):
    """The rendezvous Service."""

    cluster_ip: str = ""


@dataclass(frozen=True)
class Job(Child):
    """The Indexed Job of an attempt."""

    created: datetime | None = None
    failed_indexes: str = ""
    succeeded: int = 0
    is_suspended: bool = False
    """It has no pods but those that are on their way out."""
    is_resuming: bool = False
    """Let go, but the Job controller has not said so yet: it may have made pods, and `started` is not theirs."""
    started: datetime | None = None
    """When it was last let go; None while it is suspended, and in the first moments of its life."""
    is_over: bool = False
    """Complete or failed: it makes no pods any more, and no queue looks at it."""

    @property
    def is_whole(self) -> bool:
        """Whether it can still give all workers: an index that has failed or succeeded never gets a pod again."""
        return not self.failed_indexes and not self.succeeded


@dataclass(frozen=True)
class Workload:
    """What Kueue says about a Job that it holds back."""

    reason: str
    message: str
    is_active: bool = True
    """Whether Kueue will ever look at it again by itself."""


@dataclass(frozen=True)
class Pod:
    """One worker pod, with all that may explain how it is."""

    name: str
    uid: str
    run_uid: str
    job_name: str
    """Of the Job that controls it; empty when none does, as with a copy that somebody has made."""
    job_uid: str
    attempt: int
    index: int
    phase: str
    ip: str = ""
    node: str = ""
    is_ready: bool = False
    is_deleting: bool = False
    created: datetime | None = None
    deleted_by: datetime | None = None
    """When its grace period ends, once it is being deleted; by the clock of the API server."""
    grace_seconds: float = 0.0
    """That period."""
    scheduled: datetime | None = None
    started: datetime | None = None
    finished: datetime | None = None
    waiting_reason: str = ""
    waiting_message: str = ""
    unschedulable: str = ""
    """What the scheduler says, when no node fits."""
    was_looked_at: bool = True
    """Whether any scheduler has said anything about it."""
    terminated_reason: str = ""
    reason: str = ""
    message: str = ""
    """Why the pod as a whole is as it is, in a word and in the words of the kubelet; mostly it has none."""
    last_words: str = ""
    """What the container left that is no record: the end of its log, or why it could not be started."""
    exit_code: int | None = None
    disruption: str = ""
    """Reason of the condition DisruptionTarget: preemption, eviction, a lost node."""
    record: FinalRecord | None = None

    @property
    def is_live(self) -> bool:
        """Whether it may still do something."""
        return self.phase not in ("Succeeded", "Failed")

    @property
    def has_ended(self) -> bool:
        """Whether its trainer has: the kubelet holds the pod's phase back until it has taken down all of the pod.

        A container that an admission webhook has added can keep the pod alive for ever.
        """
        return not self.is_live or self.exit_code is not None

    @property
    def has_succeeded(self) -> bool:
        """Whether its trainer has done its part."""
        return self.phase == "Succeeded" or self.exit_code == 0

    @property
    def counts_as_ready(self) -> bool:
        """Whether it trains or has done its part."""
        return self.is_ready or self.has_succeeded


@dataclass(frozen=True)
class Claim:
    """A PersistentVolumeClaim that the run names."""

    name: str
    access_modes: tuple[str, ...]
    uid: str = ""
    phase: str = ""
    storage_class: str = ""


@dataclass(frozen=True)
class Reference:
    """An object of the user's that the run names."""

    kind: str
    name: str


@dataclass(frozen=True)
class Unreadable:
    """A preset that the operator cannot read, and why, in a sentence with the way out."""

    why: str


@dataclass(frozen=True)
class Obstacle:
    """Why a run that was accepted cannot start: one CamelCase word, and sentences with the way out."""

    reason: str
    message: str


@dataclass(frozen=True)
class Observed:
    """Everything that `decide` may know about the world."""

    children: tuple[Child, ...] = ()
    pods: tuple[Pod, ...] = ()
    claims: Mapping[str, Claim | None] = field(default_factory=dict)
    """Claims by name; None for one that does not exist."""
    missing: frozenset[Reference] = frozenset()
    """Secrets and ConfigMaps that the next attempt needs and that do not exist."""
    preset: TrainingPreset | Unreadable | None = None
    """The preset that the run names, read for its next attempt; None when there is none of that name."""
    workload: Workload | None = None
    """Kueue's word about a Job that is held back; None when it has none, or may not be read."""
    has_kueue: bool = True
    """False when the cluster does not know Workloads: nobody is there who would admit a Job."""
    seen: Mapping[Sight, datetime] = field(default_factory=dict)
    """When the operator first saw what is there, by its own clock."""
    notices: tuple[Notice, ...] = ()
    """What has been said of those objects that `policies.hindrance.subjects` names, the newest first."""
    nodes: tuple[Node, ...] | None = None
    """All nodes, when a pod fits on none of them; None when all pods have a place, or nobody may look."""
    progress: ProgressReport | None = None
    progress_changed: datetime | None = None
    """When the operator last saw that report change; None when it has not been long enough to tell."""
    progress_heard: datetime | None = None
    """When the last report came; None before the first."""


class RefusalReason(StrEnum):
    """Why an object could not be created."""

    INVALID = "Invalid"
    """The same object would be refused again."""
    FORBIDDEN = "Forbidden"
    """A quota or a policy is in the way, as it is now."""
    TAKEN = "NameConflict"
    """Somebody else has an object of that name."""


@dataclass(frozen=True)
class Refusal:
    """A create that the API server has refused, in its own words."""

    reason: RefusalReason
    kind: str
    name: str
    words: str
