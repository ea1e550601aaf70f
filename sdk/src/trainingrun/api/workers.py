"""`spec.workers`: how many pods, how many processes in each, and what each pod needs and may see."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from trainingrun.api.accelerator import TOPOLOGY_PATTERN, TPU_LABELS, Accelerator, AcceleratorKind
from trainingrun.api.base import Frozen, ObjectName, Quantity, Rule, rule, rules
from trainingrun.api.environment import EnvironmentVariable
from trainingrun.api.network import Network
from trainingrun.api.pod import (
    RESERVED_ANNOTATIONS,
    RESERVED_LABELS,
    NodeSelector,
    PodAnnotations,
    PodLabels,
    SecurityContext,
    mark_rules,
    node_selector_rule,
)
from trainingrun.api.quantities import at_least, compared
from trainingrun.api.resources import Resources
from trainingrun.api.scheduling import Toleration
from trainingrun.api.volumes import Volume

_BY_NAME: dict[str, Any] = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}


class ImagePullPolicy(StrEnum):
    """When the trainer image is pulled."""

    ALWAYS = "Always"
    IF_NOT_PRESENT = "IfNotPresent"
    NEVER = "Never"


class SecretReference(Frozen):
    """A Secret of the run's namespace."""

    name: Annotated[ObjectName, Field(description="Name of the Secret, for example registry-login.")]


def _at_least_a_megabyte(field: str) -> Rule:
    return rule(
        at_least(field, "1M"),
        f"'workers.{field} %s must be at least 1M, for example 1Gi.'.format([self.{field}])",
        field_path=f".{field}",
        computed=True,
    )


POD_RULES = (
    *mark_rules("labels", RESERVED_LABELS),
    *mark_rules("annotations", RESERVED_ANNOTATIONS),
    node_selector_rule(),
    _at_least_a_megabyte("sharedMemory"),
    _at_least_a_megabyte("scratch"),
    rule(
        compared("scratch", "<=", "resources.limits.ephemeral__dash__storage"),
        "'workers.scratch %s counts as ephemeral storage, and must not be larger than workers.resources.limits."
        "ephemeral-storage %s: lower it or raise the limit.'"
        ".format([self.scratch, self.resources.limits.ephemeral__dash__storage])",
        field_path=".scratch",
        computed=True,
    ),
    rule(
        compared("sharedMemory", "<", "resources.limits.memory"),
        "'workers.sharedMemory %s counts as memory, and must be smaller than workers.resources.limits.memory %s: lower it "
        "or raise the limit.'.format([self.sharedMemory, self.resources.limits.memory])",
        field_path=".sharedMemory",
        computed=True,
    ),
    rule(
        "!has(self.priorityClassName) || !self.priorityClassName.startsWith('system-')",
        "'workers.priorityClassName ' + self.priorityClassName + ' is for the pods that the cluster itself needs: use a "
        "class that does not begin with system-.'",
        field_path=".priorityClassName",
        computed=True,
    ),
)
"""Rules about fields that a preset has too."""

_GPU = "(has(self.accelerator) && has(self.accelerator.gpu))"
_TPU = "(has(self.accelerator) && has(self.accelerator.tpu))"
_CHIPS = "self.replicas * self.accelerator.tpu.chips"
_TOPOLOGY = "self.accelerator.tpu.topology"
_SIDES = f"{_TOPOLOGY}.split('x').map(side, int(side))"
_SLICE = f"[{_SIDES}].map(side, side[0] * side[1] * (side.size() > 2 ? side[2] : 1))[0]"


def _tpu(condition: str, message: str, *, field: str, computed: bool = False) -> Rule:
    """A rule for workers with TPU chips."""
    return rule(f"!{_TPU} || ({condition})", message, field_path=f".{field}", computed=computed)


class Workers(Frozen):
    """The gang: `replicas` pods with `processesPerWorker` training processes (ranks) each.

    Every pod meets the Pod Security level `restricted`; no field can change that.
    """

    replicas: Annotated[int, Field(ge=1, le=256, description="Number of worker pods, for example 2.")] = 1
    processes_per_worker: Annotated[
        int | None,
        Field(ge=1, le=16, description="Training processes (ranks) in each worker pod. Default: one for each GPU, else 1."),
    ] = None
    accelerator: Annotated[Accelerator | None, Field(description="GPUs or TPU chips of each worker. Default: none.")] = None
    resources: Annotated[
        Resources, Field(description="CPU, memory and disk of each worker pod. GPUs and TPU chips: workers.accelerator.")
    ] = Resources()
    shared_memory: Annotated[
        Quantity | None,
        Field(
            description="Size of /dev/shm, for example 1Gi. It counts as memory of the worker. Default: what the container "
            "runtime gives, often 64 MiB; 1Gi with several GPUs."
        ),
    ] = None
    scratch: Annotated[
        Quantity | None,
        Field(
            description="Size of /tmp on the node's disk, for example 50Gi. A worker that uses more is evicted. Default: 10Gi."
        ),
    ] = None
    termination_grace_period_seconds: Annotated[
        int,
        Field(
            ge=1, le=3600, description="Time that a worker has to write a checkpoint when it is stopped, before it is killed."
        ),
    ] = 30
    image_pull_policy: Annotated[
        ImagePullPolicy | None,
        Field(description="Always, IfNotPresent or Never. Default: Always for the tag latest, else IfNotPresent."),
    ] = None
    image_pull_secrets: Annotated[
        tuple[SecretReference, ...],
        Field(max_length=8, description="Secrets that the image is pulled with.", json_schema_extra=_BY_NAME),
    ] = ()
    service_account_name: Annotated[
        ObjectName | None,
        Field(
            description="ServiceAccount of the pods, for example trainer, for its image pull Secrets and the identity that a "
            "cloud gives it. Its "
            "token is never mounted: the trainer does not talk to Kubernetes. Default: default."
        ),
    ] = None
    env: Annotated[
        tuple[EnvironmentVariable, ...],
        Field(max_length=64, description="Environment variables of every worker, as in a pod.", json_schema_extra=_BY_NAME),
    ] = ()
    volumes: Annotated[
        tuple[Volume, ...],
        Field(
            max_length=16,
            description="Volumes of every worker besides those of data and output.",
            json_schema_extra=_BY_NAME,
        ),
    ] = ()
    node_selector: Annotated[
        NodeSelector,
        Field(description="Labels that the nodes of the workers must have, for example topology.kubernetes.io/zone: a."),
    ] = Field(default_factory=dict)
    tolerations: Annotated[
        tuple[Toleration, ...],
        Field(
            max_length=16,
            description="Taints that do not keep workers away. Those of GPU and TPU nodes are tolerated with an accelerator.",
            json_schema_extra={"x-kubernetes-list-type": "atomic"},
        ),
    ] = ()
    labels: Annotated[
        PodLabels, Field(description="Labels of the pods, besides the operator's own, for example cost-centre: vision.")
    ] = Field(default_factory=dict)
    annotations: Annotated[
        PodAnnotations,
        Field(
            description="Annotations of the pods, besides the operator's own, for example karpenter.sh/do-not-disrupt: 'true'."
        ),
    ] = Field(default_factory=dict)
    security_context: Annotated[
        SecurityContext, Field(description="User and groups of the processes, within what the level restricted allows.")
    ] = SecurityContext()
    priority_class_name: Annotated[ObjectName | None, Field(description="PriorityClass of the pods, for example low.")] = None
    network: Annotated[Network, Field(description="Connections that the workers may open.")] = Network()
    runtime_class_name: Annotated[
        ObjectName | None, Field(description="RuntimeClass of the pods, for example nvidia or gvisor.")
    ] = None
    scheduler_name: Annotated[
        ObjectName | None,
        Field(description="Scheduler that places the pods, for example volcano. Default: that of the cluster."),
    ] = None

    model_config = rules(
        *POD_RULES,
        rule(
            "!has(self.volumes) || self.volumes.all(v, self.volumes.exists_one(other, other.mountPath == v.mountPath))",
            "workers.volumes has two volumes with one mountPath: give each its own.",
            field_path=".volumes",
        ),
        rule(
            f"!{_GPU} || !has(self.processesPerWorker) || self.processesPerWorker == self.accelerator.gpu.count",
            "'workers.processesPerWorker %d differs from workers.accelerator.gpu.count %d, but each GPU has one rank: remove "
            "processesPerWorker, or change count.'.format([self.processesPerWorker, self.accelerator.gpu.count])",
            field_path=".processesPerWorker",
            computed=True,
        ),
        _tpu(
            "!has(self.processesPerWorker) || self.processesPerWorker == 1",
            "'workers.processesPerWorker %d is too many: one process drives all TPU chips of a worker. Remove "
            "processesPerWorker.'.format([self.processesPerWorker])",
            field="processesPerWorker",
            computed=True,
        ),
        _tpu(
            f"!{_TOPOLOGY}.matches('{TOPOLOGY_PATTERN}') || {_CHIPS} == {_SLICE}",
            f"'workers.replicas %d with workers.accelerator.tpu.chips %d are %d chips, but topology %s has %d: change replicas "
            f"so that both are the same.'.format([self.replicas, self.accelerator.tpu.chips, {_CHIPS}, {_TOPOLOGY}, {_SLICE}])",
            field="replicas",
            computed=True,
        ),
        _tpu(
            f"!has(self.nodeSelector) || self.nodeSelector.all(label, !(label in {list(TPU_LABELS)}))",
            f"workers.nodeSelector must not name {' or '.join(TPU_LABELS)}: say it with workers.accelerator.tpu.",
            field="nodeSelector",
        ),
    )

    @property
    def ranks_per_worker(self) -> int:
        """Training processes of each worker as it applies: one for each GPU, else 1, unless given."""
        if self.processes_per_worker is not None:
            return self.processes_per_worker
        return self.accelerators_per_worker if self.accelerator_kind is AcceleratorKind.GPU else 1

    @property
    def world_size(self) -> int:
        """Number of ranks of the whole gang."""
        return self.replicas * self.ranks_per_worker

    @property
    def accelerator_kind(self) -> AcceleratorKind | None:
        """Whether the workers have GPUs or TPU chips; None on CPUs."""
        return self.accelerator.kind if self.accelerator is not None else None

    @property
    def accelerators_per_worker(self) -> int:
        """GPUs or TPU chips of each worker; 0 on CPUs."""
        return self.accelerator.count if self.accelerator is not None else 0
