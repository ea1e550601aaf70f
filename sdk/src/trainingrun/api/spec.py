"""`spec`: what the user asks for."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from trainingrun.api.accelerator import AcceleratorKind
from trainingrun.api.acceptance import Acceptance
from trainingrun.api.augmentation import Augmentation
from trainingrun.api.base import Frozen, ObjectName, Rule, rule, rules
from trainingrun.api.compression import Compression
from trainingrun.api.data import Data
from trainingrun.api.model import APPLICATION_PARAMETERS, BUILTIN_PARAMETERS, CNN_PARAMETERS, Model
from trainingrun.api.output import Output
from trainingrun.api.recovery import Recovery
from trainingrun.api.search import MODEL_PARAMETERS
from trainingrun.api.strategy import Strategy, StrategyType
from trainingrun.api.training import Training
from trainingrun.api.tuning import Tuning
from trainingrun.api.workers import Workers

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


def _tries(path: str, *words: str) -> str:
    """CEL for whether the search tries one of these words at a path."""
    tried = f"p.name == '{path}' && has(p.categorical) && p.categorical.exists(v, v in {list(words)})"
    return f"self.tuning.parameters.exists(p, {tried})"


def _read_by(path: str, *words: str, given: str, of: str) -> Rule:
    """A rule that a search for what only some optimizers or schedules read needs one of those, given or searched."""
    named = " or ".join(words)
    return rule(
        f"!has(self.tuning) || {given} in {list(words)} || !self.tuning.parameters.exists(p, p.name == '{path}') || "
        f"{_tries(of, *words)}",
        f"tuning.parameters {path} is only read with {of} {named}: remove it, set {of}, or search it with {named} among its "
        "values.",
    )


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


class TrainingRunSpec(Frozen):
    """From data to a trained model.

    `suspend`, `rerun`, `activeDeadlineSeconds` and `childrenTTLSecondsAfterFinished` can be changed at any time; all else only
    together with a new value of `rerun`.
    """

    image: Annotated[
        str | None,
        Field(min_length=1, max_length=512, description="Trainer image. Default: the operator's own."),
    ] = None
    suspend: Annotated[
        bool, Field(description="Stop the workers after a checkpoint, and go on from it when set to false. Mutable.")
    ] = False
    rerun: Annotated[
        str,
        Field(
            max_length=63,
            description="Any new value that is not empty, for example a date or a commit, runs the TrainingRun again from the "
            "start, also with changes to other fields made in the same update. Emptying it changes nothing. Mutable.",
        ),
    ] = ""
    active_deadline_seconds: Annotated[
        int | None,
        Field(
            ge=1,
            le=31536000,
            description="Seconds of running (suspended time does not count) after which the run fails. Mutable.",
        ),
    ] = None
    children_ttl_seconds_after_finished: Annotated[
        int | None,
        Field(
            alias="childrenTTLSecondsAfterFinished",
            ge=0,
            le=31536000,
            description="Seconds after the end of the run when its pods and other objects are deleted, never the TrainingRun "
            "itself or its output. Default: they are kept until the TrainingRun is deleted. Mutable.",
        ),
    ] = None
    preset: Annotated[
        ObjectName | None,
        Field(
            description="TrainingPreset of the platform team, read when an attempt starts: it gives values to fields that are "
            "absent here, and bounds the run. Default: none."
        ),
    ] = None
    workers: Annotated[
        Workers,
        Field(
            description="The gang: how many pods and processes, with which resources, where, and what they see. The pods "
            "always meet the Pod Security level restricted."
        ),
    ] = Workers()
    strategy: Annotated[Strategy, Field(description="How the ranks train together.")] = Strategy()
    data: Annotated[Data, Field(description="Samples to learn from.")]
    model: Annotated[Model, Field(description="The network.")]
    augmentation: Annotated[Augmentation | None, Field(description="Random changes of the training images. Default: none.")] = (
        None
    )
    training: Annotated[Training, Field(description="The training loop.")] = Training()
    tuning: Annotated[
        Tuning | None, Field(description="A search for better parameters before training. Default: those of spec are used.")
    ] = None
    compression: Annotated[
        Compression | None, Field(description="A smaller model after training. Default: only the trained model.")
    ] = None
    acceptance: Annotated[Acceptance | None, Field(description="When the model is good enough. Default: any model is.")] = None
    output: Annotated[Output, Field(description="Where checkpoints and the model go.")]
    recovery: Annotated[Recovery, Field(description="Bounds on restarts and on waiting.")] = Recovery()

    model_config = rules(
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
        _read_by(
            "training.optimizer.momentum",
            "SGD",
            "RMSprop",
            given="self.training.optimizer.name",
            of="training.optimizer.name",
        ),
        _read_by("training.optimizer.weightDecay", "AdamW", given="self.training.optimizer.name", of="training.optimizer.name"),
        _read_by("training.schedule.stepEpochs", "Step", given="self.training.schedule.type", of="training.schedule.type"),
        _read_by("training.schedule.stepFactor", "Step", given="self.training.schedule.type", of="training.schedule.type"),
        rule(
            f"!has(self.tuning) || has(self.training.schedule.stepEpochs) || !{_tries('training.schedule.type', 'Step')} || "
            "self.tuning.parameters.exists(p, p.name == 'training.schedule.stepEpochs')",
            "tuning.parameters training.schedule.type Step needs training.schedule.stepEpochs: search it too, or remove Step.",
        ),
        rule(
            "!has(self.acceptance) || !has(self.acceptance.maximumDegradation) || has(self.compression)",
            "acceptance.maximumDegradation compares the compressed model with the trained one, but there is no "
            "spec.compression: remove maximumDegradation, or add compression.",
        ),
    )

    @property
    def strategy_type(self) -> StrategyType:
        """The strategy as it applies: derived from accelerator and number of ranks unless given."""
        if self.strategy.type is not None:
            return self.strategy.type
        if self.workers.accelerator_kind is AcceleratorKind.TPU:
            return StrategyType.TPU
        return StrategyType.HOROVOD if self.workers.world_size > 1 else StrategyType.SINGLE

    @property
    def batches_per_step(self) -> int:
        """Batches of `training.batchSize` that one exchange of gradients covers: one for each rank, on a TPU for each chip."""
        workers = self.workers
        tpu = workers.accelerator_kind is AcceleratorKind.TPU
        parts = workers.replicas * workers.accelerators_per_worker if tpu else workers.world_size
        return parts * self.strategy.backward_passes_per_step
