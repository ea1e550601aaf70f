"""`TrainingPreset`: what a platform team gives to runs, what these may say themselves, and what they may use at most.

Data only: a preset has no status, and nothing happens when one changes. It is read when an attempt of a run starts that names
it.
"""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field

from trainingrun.api.accelerator import Accelerator
from trainingrun.api.base import Frozen, ObjectName, Quantity, Tolerant, rule, rules
from trainingrun.api.environment import EnvironmentVariable
from trainingrun.api.metadata import ObjectMeta
from trainingrun.api.network import Network
from trainingrun.api.pod import NodeSelector, PodAnnotations, PodLabels, SecurityContext
from trainingrun.api.resources import Resources
from trainingrun.api.scheduling import Toleration
from trainingrun.api.workers import POD_RULES, ImagePullPolicy, SecretReference

PRESET_KIND = "TrainingPreset"
PRESET_PLURAL = "trainingpresets"


class PresetField(StrEnum):
    """A field of a run that a preset may set, as a path in spec. None of them has a default in the schema of a run."""

    IMAGE = "image"
    ACCELERATOR = "workers.accelerator"
    RESOURCES = "workers.resources"
    SHARED_MEMORY = "workers.sharedMemory"
    SCRATCH = "workers.scratch"
    IMAGE_PULL_POLICY = "workers.imagePullPolicy"
    IMAGE_PULL_SECRETS = "workers.imagePullSecrets"
    SERVICE_ACCOUNT_NAME = "workers.serviceAccountName"
    ENV = "workers.env"
    NODE_SELECTOR = "workers.nodeSelector"
    TOLERATIONS = "workers.tolerations"
    NETWORK = "workers.network"
    LABELS = "workers.labels"
    ANNOTATIONS = "workers.annotations"
    SECURITY_CONTEXT = "workers.securityContext"
    PRIORITY_CLASS_NAME = "workers.priorityClassName"
    RUNTIME_CLASS_NAME = "workers.runtimeClassName"
    SCHEDULER_NAME = "workers.schedulerName"


def _by_name(most: int, description: str) -> Any:
    """A list of which each entry has a name of its own."""
    listed: dict[str, Any] = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
    return Field(max_length=most, description=description, json_schema_extra=listed)


class PresetWorkers(Frozen):
    """Fields of `spec.workers` of a run: everything about a worker but how many there are and what they mount."""

    accelerator: Annotated[Accelerator | None, Field(description="GPUs or TPU chips of each worker.")] = None
    resources: Annotated[Resources, Field(description="Resources of each worker pod.")] = Resources()
    shared_memory: Annotated[Quantity | None, Field(description="Size of /dev/shm, for example 1Gi.")] = None
    scratch: Annotated[Quantity | None, Field(description="Size of /tmp on the node's disk, for example 50Gi.")] = None
    image_pull_policy: Annotated[ImagePullPolicy | None, Field(description="Always, IfNotPresent or Never.")] = None
    image_pull_secrets: Annotated[
        tuple[SecretReference, ...], _by_name(8, "Secrets, in the namespace of each run, that the image is pulled with.")
    ] = ()
    service_account_name: Annotated[
        ObjectName | None, Field(description="ServiceAccount of the pods, for example trainer, in the namespace of each run.")
    ] = None
    env: Annotated[
        tuple[EnvironmentVariable, ...], _by_name(64, "Environment variables of every worker, before those of the run.")
    ] = ()
    node_selector: Annotated[
        NodeSelector, Field(description="Labels that the nodes of the workers must have, besides those that the run names.")
    ] = Field(default_factory=dict)
    tolerations: Annotated[
        tuple[Toleration, ...],
        Field(
            max_length=16,
            description="Taints that do not keep workers away.",
            json_schema_extra={"x-kubernetes-list-type": "atomic"},
        ),
    ] = ()
    network: Annotated[Network, Field(description="Connections that the workers may open.")] = Network()
    labels: Annotated[PodLabels, Field(description="Labels of the pods, besides those that the run has.")] = Field(
        default_factory=dict
    )
    annotations: Annotated[PodAnnotations, Field(description="Annotations of the pods, besides those that the run has.")] = (
        Field(default_factory=dict)
    )
    security_context: Annotated[SecurityContext, Field(description="User and groups of the processes.")] = SecurityContext()
    priority_class_name: Annotated[ObjectName | None, Field(description="PriorityClass of the pods, for example low.")] = None
    runtime_class_name: Annotated[ObjectName | None, Field(description="RuntimeClass of the pods, for example nvidia.")] = None
    scheduler_name: Annotated[ObjectName | None, Field(description="Scheduler that places the pods, for example volcano.")] = (
        None
    )

    model_config = rules(*POD_RULES)


class PresetDefaults(Frozen):
    """Fields of a run's spec."""

    image: Annotated[
        str | None,
        Field(min_length=1, max_length=512, description="Trainer image, for example registry.example/team/trainer:1."),
    ] = None
    workers: Annotated[PresetWorkers, Field(description="What each worker is and where it runs.")] = PresetWorkers()


class PresetLimits(Frozen):
    """What a run may use at most. A limit that is absent is none."""

    most_workers: Annotated[int | None, Field(ge=1, le=256, description="Most worker pods: bounds workers.replicas.")] = None
    most_accelerators: Annotated[
        int | None, Field(ge=0, le=4096, description="Most GPUs or TPU chips of all workers together. 0: none.")
    ] = None
    longest_deadline_seconds: Annotated[
        int | None,
        Field(
            ge=1,
            le=31536000,
            description="Largest activeDeadlineSeconds, and its value for runs that have none.",
        ),
    ] = None


class TrainingPresetSpec(Frozen):
    """What runs that name the preset get, may say themselves, and may use at most."""

    description: Annotated[
        str, Field(max_length=256, description="For whom and what it is, in a sentence, for example: Two GPUs for experiments.")
    ] = ""
    defaults: Annotated[
        PresetDefaults,
        Field(
            description="What a run gets where it says nothing. One that says otherwise cannot start, unless allowedOverrides "
            "has the field. Lists whose entries have names are put together, and compared entry by entry."
        ),
    ] = PresetDefaults()
    allowed_overrides: Annotated[
        tuple[PresetField, ...],
        Field(
            max_length=32,
            description="Fields, as paths in the spec of a run, that it may set although the preset does.",
            json_schema_extra={"x-kubernetes-list-type": "set"},
        ),
    ] = ()
    forbidden_fields: Annotated[
        tuple[PresetField, ...],
        Field(
            max_length=32,
            description="Fields, as paths in the spec of a run, that it may not set at all, whether the preset does or not.",
            json_schema_extra={"x-kubernetes-list-type": "set"},
        ),
    ] = ()
    limits: Annotated[PresetLimits, Field(description="What a run may use at most.")] = PresetLimits()

    model_config = rules(
        rule(
            "!has(self.allowedOverrides) || !has(self.forbiddenFields) || "
            "self.forbiddenFields.all(field, !(field in self.allowedOverrides))",
            "forbiddenFields and allowedOverrides name the same field: remove it from one of them.",
            field_path=".forbiddenFields",
        ),
    )


class TrainingPreset(Tolerant):
    """What a platform team gives to the TrainingRuns that name it (`spec.preset`), in all namespaces."""

    api_version: Literal["trainingrun.dev/v1alpha1"] = "trainingrun.dev/v1alpha1"
    kind: Literal["TrainingPreset"] = "TrainingPreset"
    metadata: ObjectMeta
    spec: Annotated[TrainingPresetSpec, Field(description="What runs get, may say themselves, and may use at most.")] = (
        TrainingPresetSpec()
    )

    @classmethod
    def parse(cls, manifest: dict[str, Any]) -> "TrainingPreset":
        """Read an object as the API server returns it.

        Raises pydantic's ValidationError, whose text names the field, when the object does not follow the schema.
        """
        return cls.model_validate(manifest)
