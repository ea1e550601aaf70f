"""Do the fields of a run and of its preset fit together? The API server has checked each of the two, but never both as one."""

from collections.abc import Iterator
from math import prod

from trainingrun.api import AcceleratorKind, GradientCompression, StrategyType, TrainingRunSpec, Workers
from trainingrun.api.accelerator import TPU_LABELS, Tpu
from trainingrun.api.network import Egress
from trainingrun.api.quantities import amount
from trainingrun_operator.resolution.judging import AGAIN


def conflicts(spec: TrainingRunSpec, *, name: str) -> Iterator[str]:
    """What the API server would have refused in one object: the rules of its schema that are about fields of both."""
    for sentence in (*_sizes(spec.workers), *_ranks(spec), *_slice(spec), *_reach(spec)):
        yield f"With TrainingPreset {name}, {sentence}, {AGAIN}, or use another preset."


def _sizes(workers: Workers) -> Iterator[str]:
    resources, shared = workers.resources, workers.shared_memory
    for resource in ("cpu", "memory", "ephemeral-storage"):
        field = resource.replace("-", "_")
        request, limit = getattr(resources.requests, field), getattr(resources.limits, field)
        if request is not None and limit is not None and amount(request) > amount(limit):
            yield (
                f"spec.workers.resources.requests.{resource} {request} is more than spec.workers.resources.limits.{resource} "
                f"{limit}: lower the request"
            )
    scratch, storage = workers.scratch, resources.limits.ephemeral_storage
    if scratch is not None and storage is not None and amount(scratch) > amount(storage):
        yield (
            f"spec.workers.scratch {scratch} is more than spec.workers.resources.limits.ephemeral-storage {storage}, of which "
            "it is a part: change one of them"
        )
    memory = resources.limits.memory
    if shared is not None and memory is not None and amount(shared) >= amount(memory):
        yield (
            f"spec.workers.sharedMemory {shared} is not smaller than spec.workers.resources.limits.memory {memory}, of which "
            "it is a part: change one of them"
        )


def _ranks(spec: TrainingRunSpec) -> Iterator[str]:
    workers = spec.workers
    gpus, given = workers.accelerators_per_worker, workers.processes_per_worker
    if workers.accelerator_kind is AcceleratorKind.GPU and given not in (None, gpus):
        yield f"spec.workers.processesPerWorker is {given}, but each of {gpus} GPUs has one rank: remove processesPerWorker"
    if spec.strategy.type is StrategyType.SINGLE and workers.world_size > 1:
        yield f"spec.strategy.type is Single, but there are {workers.world_size} ranks: remove strategy.type"


def _slice(spec: TrainingRunSpec) -> Iterator[str]:
    """A TPU slice leaves nothing to choose: its workers, their processes, the strategy and the nodes follow from it."""
    workers = spec.workers
    tpu = workers.accelerator.tpu if workers.accelerator is not None else None
    if tpu is None:
        return
    if workers.replicas * tpu.chips != _chips(tpu):
        yield (
            f"spec.workers.replicas is {workers.replicas} with {tpu.chips} TPU chips each, but the topology {tpu.topology} has "
            f"{_chips(tpu)} chips: change replicas"
        )
    if workers.processes_per_worker not in (None, 1):
        yield f"spec.workers.processesPerWorker is {workers.processes_per_worker}, but one process drives all chips: remove it"
    if spec.strategy.type not in (None, StrategyType.TPU):
        yield f"spec.strategy.type is {spec.strategy.type}, which does not run on TPUs: remove it"
    if spec.strategy.gradient_compression is not GradientCompression.NONE:
        yield "spec.strategy.gradientCompression is for Horovod, which does not run on TPUs: remove it"
    for label in workers.node_selector:
        if label in TPU_LABELS:
            yield f"spec.workers.nodeSelector names {label}, which workers.accelerator.tpu already says: remove it"


def _reach(spec: TrainingRunSpec) -> Iterator[str]:
    """Whether data and output are where the workers may connect to."""
    egress = spec.workers.network.egress
    for path, location in (("data.source", spec.data.source), ("output", spec.output)):
        if location.uri is None:
            continue
        is_near = location.endpoint is not None or location.uri.startswith("https://")
        if egress is Egress.NONE or (egress is Egress.CLUSTER and not is_near):
            yield (
                f"spec.{path}.uri {location.uri} cannot be reached with workers.network.egress {egress}: name a place that can"
            )


def _chips(tpu: Tpu) -> int:
    """Chips of the whole slice."""
    return prod(int(side) for side in tpu.topology.split("x"))
