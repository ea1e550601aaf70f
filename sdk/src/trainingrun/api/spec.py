"""`spec`: what the user asks for."""

from typing import Annotated

from pydantic import Field

from trainingrun.api.accelerator import AcceleratorKind
from trainingrun.api.acceptance import Acceptance
from trainingrun.api.augmentation import Augmentation
from trainingrun.api.base import Frozen, ObjectName, rules
from trainingrun.api.compression import Compression
from trainingrun.api.data import Data
from trainingrun.api.model import Model
from trainingrun.api.output import Output
from trainingrun.api.recovery import Recovery
from trainingrun.api.spec_rules import SPEC_RULES
from trainingrun.api.strategy import Strategy, StrategyType
from trainingrun.api.training import Training
from trainingrun.api.tuning import Tuning
from trainingrun.api.workers import Workers


class TrainingRunSpec(Frozen):
    """From data to a trained model.

    `suspend`, `rerun`, `activeDeadlineSeconds` and `childrenTTLSecondsAfterFinished` can be changed at any time; all else only
    together with a new value of `rerun`.
    """

    image: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=512,
            description="Trainer image, for example registry.example/team/trainer:1. Default: the operator's own.",
        ),
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
            "itself or its output. Default: they are kept until the TrainingRun is deleted, but for Services and "
            "NetworkPolicies, which go with the end. Mutable.",
        ),
    ] = None
    preset: Annotated[
        ObjectName | None,
        Field(
            description="TrainingPreset of the platform team, for example gpu-small, read when an attempt starts: it gives "
            "values to fields that are "
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
    data: Annotated[Data, Field(description="The samples to learn from: where they are, and how they are written.")]
    model: Annotated[Model, Field(description="The network that is trained: exactly one kind, and its parameters.")]
    augmentation: Annotated[Augmentation | None, Field(description="Random changes of the training images. Default: none.")] = (
        None
    )
    training: Annotated[Training, Field(description="The training loop: epochs, batch size, optimizer, schedule.")] = Training()
    tuning: Annotated[
        Tuning | None, Field(description="A search for better parameters before training. Default: those of spec are used.")
    ] = None
    compression: Annotated[
        Compression | None, Field(description="A smaller model after training. Default: only the trained model.")
    ] = None
    acceptance: Annotated[Acceptance | None, Field(description="When the model is good enough. Default: any model is.")] = None
    output: Annotated[Output, Field(description="Where checkpoints and the model go.")]
    recovery: Annotated[Recovery, Field(description="Bounds on restarts and on waiting.")] = Recovery()

    model_config = rules(*SPEC_RULES)

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
