"""GPUs: an extended resource of a device plugin, and nodes that NVIDIA's GPU feature discovery has labelled."""

from trainingrun.api import Gpu
from trainingrun.api.quantities import amount
from trainingrun_operator.children.accelerator.equipment import Equipment, tolerates
from trainingrun_operator.model import Manifest

PRODUCT_LABEL = "nvidia.com/gpu.product"
MEMORY_LABEL = "nvidia.com/gpu.memory"
"""Memory of each GPU in MiB."""
MAJOR_LABEL = "nvidia.com/gpu.compute.major"
MINOR_LABEL = "nvidia.com/gpu.compute.minor"

SHARED_MEMORY = "1Gi"
"""What NVIDIA gives containers with several GPUs: NCCL passes data between the ranks of a node through /dev/shm."""

_MEBIBYTE = 2**20


def gpu_equipment(gpu: Gpu) -> Equipment:
    """GPUs on a node where each is what the user asks for."""
    return Equipment(
        resources={gpu.resource_name: gpu.count},
        node_terms=_node_terms(gpu),
        tolerations=tuple(tolerates(key) for key in taints(gpu.resource_name)),
        shared_memory=SHARED_MEMORY if gpu.count > 1 else None,
    )


def taints(resource_name: str) -> tuple[str, ...]:
    """Taints of nodes with this resource: its name, and that of whole GPUs where it is a part of one."""
    domain = resource_name.partition("/")[0]
    return tuple(dict.fromkeys((resource_name, f"{domain}/gpu")))


def mebibytes(gpu: Gpu) -> int | None:
    """The least value of the label with the memory."""
    if gpu.minimum_memory is None:
        return None
    return max(1, int(amount(gpu.minimum_memory) / _MEBIBYTE))


def _node_terms(gpu: Gpu) -> tuple[Manifest, ...]:
    """One term, or two where a minor number counts for one major number alone. `Gt` is the only comparison there is."""
    common: list[Manifest] = []
    if gpu.product is not None:
        common.append({"key": PRODUCT_LABEL, "operator": "In", "values": [gpu.product]})
    memory = mebibytes(gpu)
    if memory is not None:
        common.append(_more_than(MEMORY_LABEL, memory - 1))
    terms = [[*common, *alternative] for alternative in _capabilities(gpu)]
    return tuple({"matchExpressions": expressions} for expressions in terms if expressions)


def _capabilities(gpu: Gpu) -> list[list[Manifest]]:
    if gpu.least_capability is None:
        return [[]]
    major, minor = gpu.least_capability
    if minor == 0:
        return [[_more_than(MAJOR_LABEL, major - 1)]]
    same_major = {"key": MAJOR_LABEL, "operator": "In", "values": [str(major)]}
    return [[_more_than(MAJOR_LABEL, major)], [same_major, _more_than(MINOR_LABEL, minor - 1)]]


def _more_than(label: str, number: int) -> Manifest:
    return {"key": label, "operator": "Gt", "values": [str(number)]}
