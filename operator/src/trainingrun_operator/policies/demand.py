"""What a worker asks of a node, one requirement after the other, each with the words for what nodes have instead.

The order is that of the sentence that comes of it: nodes that miss a requirement are out of the question for those after it.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from trainingrun.api import Gpu, Toleration, TolerationOperator, Tpu, TrainingRun, Workers
from trainingrun.api.accelerator import TPU_LABELS, TPU_RESOURCE
from trainingrun.api.quantities import amount
from trainingrun_operator.children.accelerator import equipment
from trainingrun_operator.children.accelerator.gpu import (
    MAJOR_LABEL,
    MEMORY_LABEL,
    MINOR_LABEL,
    PRODUCT_LABEL,
    mebibytes,
)
from trainingrun_operator.children.placement import node_labels
from trainingrun_operator.config import OperatorConfig
from trainingrun_operator.node import Node, Taint
from trainingrun_operator.policies.words import counted, largest, listed, memory

STORAGE = "ephemeral-storage"
_KUBERNETES = "kubernetes.io/"


@dataclass(frozen=True)
class Requirement:
    """One thing that a node must have."""

    asks: str
    """What the worker needs, as the object of a sentence."""
    is_met: Callable[[Node], bool]
    offers: Callable[[Sequence[Node]], str]
    """What these nodes have instead, as a sentence without its full stop."""


def requirements(run: TrainingRun, *, attempt: int, config: OperatorConfig) -> Iterator[Requirement]:
    """All that a worker needs: the labels it selects by, its accelerators, compute, and that its node lets it in."""
    workers = run.spec.workers
    # Labels that every node has are asked for last: nodes that have the others are those that the run was meant for.
    for name, value in sorted(node_labels(run, config=config).items(), key=lambda label: _KUBERNETES in label[0]):
        yield _label(f"a node with the label {name}={value}", name, value)
    accelerator = workers.accelerator
    if accelerator is not None and accelerator.gpu is not None:
        yield from _gpu(accelerator.gpu)
    if accelerator is not None and accelerator.tpu is not None:
        yield from _tpu(accelerator.tpu)
    yield from _compute(workers)
    yield _admission(run, attempt=attempt)


def requests(workers: Workers) -> dict[str, Decimal]:
    """What the scheduler reserves for a worker: limits stand in for requests that are not given."""
    asked = workers.resources
    given = {
        "cpu": asked.requests.cpu or asked.limits.cpu,
        "memory": asked.requests.memory or asked.limits.memory,
        STORAGE: asked.requests.ephemeral_storage or asked.limits.ephemeral_storage,
    }
    compute = {name: amount(quantity) for name, quantity in given.items() if quantity is not None}
    if workers.accelerator is None:
        return compute
    return {**compute, workers.accelerator.resource_name: Decimal(workers.accelerator.count)}


def _gpu(gpu: Gpu) -> Iterator[Requirement]:
    asks = _gpu_in_words(gpu)
    yield _any_of(asks, gpu.resource_name)
    if gpu.product is not None:
        yield _label(asks, PRODUCT_LABEL, gpu.product)
    least = mebibytes(gpu)
    if gpu.minimum_memory is not None and least is not None:
        unit = gpu.minimum_memory
        yield _at_least(asks, MEMORY_LABEL, lambda node: node.number(MEMORY_LABEL), least, lambda mib: memory(mib, like=unit))
    if gpu.least_capability is not None:
        major, minor = gpu.least_capability
        yield _at_least(asks, MAJOR_LABEL, _capability, major * 100 + minor, lambda number: f"{number // 100}.{number % 100}")
    yield _enough(asks, gpu.resource_name, Decimal(gpu.count), lambda number: f"{number}")


def _gpu_in_words(gpu: Gpu) -> str:
    qualities = [f"at least {gpu.minimum_memory}"] if gpu.minimum_memory is not None else []
    if gpu.least_capability is not None:
        major, minor = gpu.least_capability
        qualities.append(f"compute capability {major}.{minor}")
    product = f" of product {gpu.product}" if gpu.product is not None else ""
    each = f" with {' and '.join(qualities)}" if qualities else ""
    return f"{counted(gpu.count, 'GPU')}{product}{each} on one node"


def _tpu(tpu: Tpu) -> Iterator[Requirement]:
    asks = f"{counted(tpu.chips, 'TPU chip')} of {tpu.type} in a slice of {tpu.topology}"
    yield _any_of(asks, TPU_RESOURCE)
    for label, value in zip(TPU_LABELS, (tpu.type, tpu.topology), strict=True):
        yield _label(asks, label, value)
    yield _enough(asks, TPU_RESOURCE, Decimal(tpu.chips), lambda number: f"{number}")


def _compute(workers: Workers) -> Iterator[Requirement]:
    asked = requests(workers)
    if "cpu" in asked:
        yield _enough(f"{asked['cpu']:f} CPUs on one node", "cpu", asked["cpu"], lambda number: f"{number:f}")
    requested, most = workers.resources.requests, workers.resources.limits
    bytes_of = {
        "memory": requested.memory or most.memory,
        STORAGE: requested.ephemeral_storage or most.ephemeral_storage,
    }
    for resource, given in bytes_of.items():
        if given is not None:
            yield _bytes(given, resource)


def _bytes(given: str, resource: str) -> Requirement:
    words = f"{given} of {resource} on one node"
    return _enough(words, resource, amount(given), lambda found: memory(int(found) // 2**20, like=given))


def _any_of(asks: str, resource: str) -> Requirement:
    return Requirement(asks, lambda node: node.has(resource) > 0, lambda nodes: f"no node offers {resource}")


def _label(asks: str, label: str, value: str) -> Requirement:
    def offers(nodes: Sequence[Node]) -> str:
        found = Counter(node.labels[label] for node in nodes if label in node.labels)
        return f"those nodes have {label} {listed(found)}" if found else f"no such node has the label {label}"

    return Requirement(asks, lambda node: node.labels.get(label) == value, offers)


def _at_least(
    asks: str, label: str, measure: Callable[[Node], int | None], least: int, words: Callable[[int], str]
) -> Requirement:
    """A number that a label says; a node without the label does not meet it, as the scheduler sees it."""

    def offers(nodes: Sequence[Node]) -> str:
        numbers = [number for node in nodes if (number := measure(node)) is not None]
        return f"the largest is {largest(numbers, words)}" if numbers else f"no such node has the label {label}"

    return Requirement(asks, lambda node: (measure(node) or 0) >= least, offers)


def _enough(asks: str, resource: str, needed: Decimal, words: Callable[[Decimal], str]) -> Requirement:
    return Requirement(
        asks,
        lambda node: node.has(resource) >= needed,
        lambda nodes: f"the largest has {largest([node.has(resource) for node in nodes], words)}",
    )


def _capability(node: Node) -> int | None:
    major, minor = node.number(MAJOR_LABEL), node.number(MINOR_LABEL)
    return None if major is None else major * 100 + (minor or 0)


def _admission(run: TrainingRun, *, attempt: int) -> Requirement:
    """Taints of nodes, the last of all: they matter where everything else fits."""
    own = (Toleration.model_validate(each) for each in equipment(run, attempt=attempt).tolerations)
    tolerations = (*own, *run.spec.workers.tolerations)

    def strange(node: Node) -> list[Taint]:
        return [taint for taint in node.taints if taint.keeps_away and not any(_tolerates(each, taint) for each in tolerations)]

    def offers(nodes: Sequence[Node]) -> str:
        found = Counter(str(taint) for node in nodes for taint in strange(node))
        return f"the nodes that fit have the taint {listed(found)}"

    return Requirement("a node whose taints it tolerates (spec.workers.tolerations)", lambda node: not strange(node), offers)


def _tolerates(toleration: Toleration, taint: Taint) -> bool:
    if toleration.key not in (None, taint.key) or toleration.effect not in (None, taint.effect):
        return False
    return toleration.operator is TolerationOperator.EXISTS or toleration.value == taint.value
