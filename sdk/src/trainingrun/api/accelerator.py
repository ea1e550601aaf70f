"""`spec.workers.accelerator`: the GPUs or TPU chips of each worker pod."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from trainingrun.api.base import AS_NUMBER, OBJECT_NAME, Frozen, Quantity, Rule, rule, rules
from trainingrun.api.quantities import at_least
from trainingrun.api.scheduling import LABEL, LabelValue

NVIDIA_GPU = "nvidia.com/gpu"
"""Extended resource of NVIDIA's device plugin: the one whose nodes NVIDIA's GPU feature discovery labels."""

TPU_RESOURCE = "google.com/tpu"
"""Extended resource of TPU chips on GKE."""

TPU_LABELS = ("cloud.google.com/gke-tpu-accelerator", "cloud.google.com/gke-tpu-topology")
"""Labels of GKE's TPU nodes: type and topology."""

NVIDIA_LABELS = {
    "product": "nvidia.com/gpu.product",
    "minimumMemory": "nvidia.com/gpu.memory",
    "minimumComputeCapability": "nvidia.com/gpu.compute.major and minor",
}
"""Labels of nodes that a field of `gpu` is compared with, as NVIDIA's GPU feature discovery writes them; memory in MiB."""

TOPOLOGY_PATTERN = r"^[1-9][0-9]{0,2}x[1-9][0-9]{0,2}(x[1-9][0-9]{0,2})?$"

ExtendedResource = Annotated[str, Field(pattern=f"^{OBJECT_NAME}/{LABEL}$", max_length=317)]


class AcceleratorKind(StrEnum):
    """What trains in place of the CPU."""

    GPU = "GPU"
    TPU = "TPU"


def _nvidia_only(field: str) -> Rule:
    return rule(
        f"!has(self.{field}) || self.resourceName == '{NVIDIA_GPU}'",
        f"'workers.accelerator.gpu.{field} is compared with the label {NVIDIA_LABELS[field]}, which nodes with ' + "
        f"self.resourceName + ' do not have: remove {field} and choose nodes with workers.nodeSelector, or use {NVIDIA_GPU}.'",
        field_path=f".{field}",
        computed=True,
    )


class Gpu(Frozen):
    """GPUs of each worker, and what they must be able to do. Each of them has a rank of its own."""

    count: Annotated[int, Field(ge=1, le=16, description="GPUs of each worker, all on one node.")] = 1
    resource_name: Annotated[
        ExtendedResource,
        Field(description="Extended resource of the device plugin, for example amd.com/gpu. Default: nvidia.com/gpu."),
    ] = NVIDIA_GPU
    product: Annotated[
        Annotated[str, Field(min_length=1)] | None,
        Field(
            pattern=f"^{LABEL}$",
            max_length=63,
            description="Product, as in the label nvidia.com/gpu.product, for example NVIDIA-L4.",
        ),
    ] = None
    minimum_memory: Annotated[
        Quantity | None,
        Field(
            description="Memory of each GPU, at least, for example 24G: as marketed, where 24Gi asks for a bit more than a GPU "
            "of 24 GB has. Compared with the label nvidia.com/gpu.memory."
        ),
    ] = None
    minimum_compute_capability: Annotated[
        Annotated[float, Field(ge=1, lt=100), AS_NUMBER] | None,
        Field(
            description="Compute capability, at least, for example 8.0. Compared with the labels nvidia.com/gpu.compute.major "
            "and minor.",
        ),
    ] = None

    model_config = rules(
        rule(
            f"self.resourceName != '{TPU_RESOURCE}'",
            f"workers.accelerator.gpu.resourceName {TPU_RESOURCE} is no GPU: use workers.accelerator.tpu.",
            field_path=".resourceName",
        ),
        rule(
            "!self.resourceName.matches('^([^/]*[.])?kubernetes[.]io/|^requests[.]')",
            "'workers.accelerator.gpu.resourceName ' + self.resourceName + ' belongs to Kubernetes: use the resource of a "
            "device plugin, for example nvidia.com/gpu or amd.com/gpu.'",
            field_path=".resourceName",
            computed=True,
        ),
        rule(
            at_least("minimumMemory", "1M"),
            "'workers.accelerator.gpu.minimumMemory %s must be at least 1M, for example 24G.'.format([self.minimumMemory])",
            field_path=".minimumMemory",
            computed=True,
        ),
        *map(_nvidia_only, NVIDIA_LABELS),
    )

    @property
    def least_capability(self) -> tuple[int, int] | None:
        """Major and minor part of the compute capability that is asked for."""
        return None if self.minimum_compute_capability is None else divmod(round(10 * self.minimum_compute_capability), 10)


class Tpu(Frozen):
    """A TPU slice: `chips` on each of the workers, which together are the slice."""

    type: Annotated[
        LabelValue,
        Field(
            min_length=1,
            description="TPU of the nodes, as in GKE's label cloud.google.com/gke-tpu-accelerator, for example "
            "tpu-v5-lite-podslice.",
        ),
    ]
    topology: Annotated[
        str,
        Field(
            pattern=TOPOLOGY_PATTERN,
            max_length=11,
            description="Shape of the slice, as in GKE's label cloud.google.com/gke-tpu-topology, for example 2x4 or 2x2x2.",
        ),
    ]
    chips: Annotated[Literal[1, 4, 8], Field(description="Chips of each worker: those of one node.")]


class Accelerator(Frozen):
    """GPUs or a TPU slice."""

    gpu: Annotated[Gpu | None, Field(description="GPUs of each worker, by number and ability.")] = None
    tpu: Annotated[Tpu | None, Field(description="TPU chips of each worker, by slice.")] = None

    model_config = rules(
        rule(
            "has(self.gpu) != has(self.tpu)",
            "workers.accelerator needs exactly one of gpu and tpu: keep one, or remove workers.accelerator to train on CPUs.",
        )
    )

    @property
    def kind(self) -> AcceleratorKind:
        """Whether these are GPUs or TPU chips."""
        return AcceleratorKind.TPU if self.tpu is not None else AcceleratorKind.GPU

    @property
    def count(self) -> int:
        """GPUs or TPU chips of each worker."""
        if self.tpu is not None:
            return self.tpu.chips
        return self.gpu.count if self.gpu is not None else 0

    @property
    def resource_name(self) -> str:
        """The extended resource that the nodes offer."""
        return self.gpu.resource_name if self.gpu is not None else TPU_RESOURCE
