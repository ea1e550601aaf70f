"""Rules of `spec` that are about several of its blocks at once, as CEL."""

from collections.abc import Iterable

from trainingrun.api.base import Rule, rule
from trainingrun.api.model import APPLICATION_PARAMETERS, BUILTIN_PARAMETERS, CNN_PARAMETERS
from trainingrun.api.search import MODEL_PARAMETERS

IMMUTABLE_BLOCKS = (
    "image",
    "preset",
    "workers",
    "strategy",
    "data",
    "model",
    "augmentation",
    "training",
    "tuning",
    "compression",
    "acceptance",
    "output",
    "recovery",
)


def _unchanged(block: str) -> str:
    return f"(has(self.{block}) ? has(oldSelf.{block}) && self.{block} == oldSelf.{block} : !has(oldSelf.{block}))"


def _paths(names: Iterable[str]) -> list[str]:
    """Names of a network's parameters as names of searched parameters."""
    return [f"{MODEL_PARAMETERS}{name}" for name in names]


def _searched(condition: str, message: str, *, of: str) -> Rule:
    """A rule that every searched parameter `p` of one kind of network must meet."""
    about = f"!p.name.startsWith('{MODEL_PARAMETERS}') || ({condition})"
    return rule(f"!has(self.tuning) || !has(self.model.{of}) || self.tuning.parameters.all(p, {about})", message)


def _outside(path: str) -> tuple[Rule, Rule]:
    """Rules against a uri that `workers.network.egress` keeps the workers from."""
    egress = "(has(self.workers.network.egress) ? self.workers.network.egress : 'Any')"
    return (
        rule(
            f"!has(self.{path}.uri) || {egress} != 'None'",
            f"'{path}.uri ' + self.{path}.uri + ' cannot be reached with workers.network.egress None: use Any, or Cluster for "
            "a server in this cluster, or a persistentVolumeClaim.'",
            computed=True,
        ),
        rule(
            f"!has(self.{path}.uri) || {egress} != 'Cluster' || has(self.{path}.endpoint) || "
            f"self.{path}.uri.startsWith('https://')",
            f"'{path}.uri ' + self.{path}.uri + ' without an endpoint is a cloud outside of this cluster, which "
            "workers.network.egress Cluster does not reach: use Any, or name the endpoint of a server in this cluster.'",
            computed=True,
        ),
    )


_TPU = "(has(self.workers.accelerator) && has(self.workers.accelerator.tpu))"
_GPU = "(has(self.workers.accelerator) && has(self.workers.accelerator.gpu))"
_RANKS = (
    "(has(self.workers.processesPerWorker) ? self.workers.processesPerWorker : "
    f"{_GPU} ? self.workers.accelerator.gpu.count : 1)"
)
"""Ranks of each worker, as `Workers.ranks_per_worker` says."""
_RERUN = "(self.rerun != '' && self.rerun != oldSelf.rerun)"

SPEC_RULES: tuple[Rule, ...] = (
    *(
        rule(
            f"{_unchanged(block)} || {_RERUN}",
            f"spec.{block} cannot be changed alone once the TrainingRun exists: change spec.rerun to a new value in the "
            "same update to train again with it, or create a new TrainingRun.",
        )
        for block in IMMUTABLE_BLOCKS
    ),
    rule(
        f"!has(self.strategy.type) || self.strategy.type != 'Single' || (self.workers.replicas == 1 && {_RANKS} == 1)",
        "'strategy.type Single trains in one process, but workers.replicas is %d with %d ranks each: use one worker with "
        f"one process and at most one GPU, or strategy.type Horovod.'.format([self.workers.replicas, {_RANKS}])",
        computed=True,
    ),
    rule(
        f"!{_TPU} || !has(self.strategy.type) || self.strategy.type == 'TPU'",
        "'strategy.type ' + self.strategy.type + ' does not run on TPUs: remove strategy.type, which then is "
        "TPU, or use workers.accelerator.gpu.'",
        computed=True,
    ),
    rule(
        f"{_TPU} || !has(self.strategy.type) || self.strategy.type != 'TPU'",
        "strategy.type TPU needs TPU chips: add workers.accelerator.tpu, or remove strategy.type.",
    ),
    rule(
        f"!{_TPU} || self.strategy.gradientCompression == 'None'",
        "'strategy.gradientCompression ' + self.strategy.gradientCompression + ' is for Horovod, which does not run on "
        "TPUs: remove it.'",
        computed=True,
    ),
    rule(
        f"{_TPU} || self.strategy.transport != 'MPI' || self.workers.replicas * {_RANKS} > 1",
        "strategy.transport MPI connects ranks, but there is one: raise workers.replicas or workers.processesPerWorker, or "
        "remove strategy.transport.",
    ),
    rule(
        f"!{_TPU} || (self.strategy.transport != 'MPI' && !has(self.strategy.fusionThreshold) && "
        "!has(self.strategy.cycleTimeMilliseconds))",
        "strategy.transport MPI, strategy.fusionThreshold and strategy.cycleTimeMilliseconds are for Horovod, which does "
        "not run on TPUs: remove them.",
    ),
    rule(
        "!has(self.model.application) || !has(self.model.application.weightsFile) || !has(self.data.source.builtin)",
        "model.application.weightsFile is read from the data source, but data.source.builtin holds no weights: use another "
        "data source, or remove weightsFile to begin with random weights.",
    ),
    *_outside("data.source"),
    *_outside("output"),
    _searched(
        f"p.name in {_paths(BUILTIN_PARAMETERS)}",
        "tuning.parameters of a built-in network may be named model.parameters.activation, dropout, hiddenUnits, filters "
        "and kernelSize: correct or remove the others.",
        of="builtin",
    ),
    _searched(
        f"self.model.builtin.type == 'CNN' || !(p.name in {_paths(CNN_PARAMETERS)})",
        "tuning.parameters model.parameters.filters and kernelSize are for model.builtin.type CNN: remove them or change "
        "the type.",
        of="builtin",
    ),
    _searched(
        f"p.name in {_paths(APPLICATION_PARAMETERS)}",
        "tuning.parameters of an application may be named model.parameters.alpha, dropout, inputSize, minimalistic, "
        "normalizationMomentum and pooling: correct or remove the others.",
        of="application",
    ),
    _searched(
        "self.model.application.name.startsWith('MobileNet') || p.name != 'model.parameters.alpha'",
        "tuning.parameters model.parameters.alpha is for the MobileNets: remove it or change model.application.name.",
        of="application",
    ),
    _searched(
        "self.model.application.name.startsWith('MobileNetV3') || p.name != 'model.parameters.minimalistic'",
        "tuning.parameters model.parameters.minimalistic is for MobileNetV3: remove it or change model.application.name.",
        of="application",
    ),
    rule(
        "!has(self.acceptance) || !has(self.acceptance.maximumDegradation) || has(self.compression)",
        "acceptance.maximumDegradation compares the compressed model with the trained one, but there is no "
        "spec.compression: remove maximumDegradation, or add compression.",
    ),
    rule(
        "!has(self.acceptance) || !has(self.tuning) || self.data.testFraction > 0.0",
        "acceptance with tuning needs samples that the search has not seen, but data.testFraction is 0: the search chooses by "
        "the validation samples. Set data.testFraction, for example to 0.1.",
    ),
)
