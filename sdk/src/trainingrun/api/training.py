"""`spec.training`: epochs, batch size, optimizer, schedule, early stopping, checkpoints."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema

from trainingrun.api.base import (
    AS_NUMBER_OR_AUTO,
    AUTO,
    AUTO_PATTERN,
    Decimal,
    Fraction,
    Frozen,
    PositiveFraction,
    rule,
    rules,
    up_to,
)
from trainingrun.contract_version import MeantBefore, Since

MOST_BATCH = 65536
MOST_RATE = 1000
RATE_PATTERN = rf"{AUTO_PATTERN}|^(0*[1-9][0-9]*(\.[0-9]+)?|0+\.0*[1-9][0-9]*)(e-?[0-9]{{1,2}})?$"
"""Auto, or a number above 0 that stands in quotes."""


class OptimizerName(StrEnum):
    """Optimizers of the trainer."""

    ADAM = "Adam"
    ADAMW = "AdamW"
    SGD = "SGD"
    RMSPROP = "RMSprop"


class Optimizer(Frozen):
    """How gradients change the weights."""

    name: Annotated[OptimizerName, Field(description="Adam, AdamW, SGD or RMSprop.")] = OptimizerName.ADAM
    learning_rate: Annotated[
        Annotated[float, Field(gt=0, allow_inf_nan=False)] | Literal["Auto"],
        AS_NUMBER_OR_AUTO,
        WithJsonSchema(
            {"x-kubernetes-preserve-unknown-fields": True, "pattern": RATE_PATTERN, "minimum": 0, "exclusiveMinimum": True}
            | {"maximum": MOST_RATE, "not": {"enum": [True, False, [], {}]}, "maxItems": 0, "maxProperties": 0},
            mode="validation",
        ),
        Field(
            description="Learning rate of one rank, before scaling: a number, for example 0.001, or Auto: found by a range "
            "test of all ranks together, a few seconds before training; what it finds is not scaled.",
        ),
    ] = 0.001
    momentum: Annotated[Fraction, Field(description="Momentum of SGD or RMSprop, from 0 to below 1, for example 0.9.")] = 0
    weight_decay: Annotated[
        Decimal | None,
        Field(
            description="Decay of the kernels per step, times the learning rate, for example 0.004, which it is by default "
            "with AdamW. Only with AdamW.",
            json_schema_extra=up_to(1000),
        ),
    ] = None

    model_config = rules(
        rule(
            "!has(self.weightDecay) || self.name == 'AdamW'",
            "training.optimizer.weightDecay is only read with training.optimizer.name AdamW: remove it or change the name.",
            field_path=".weightDecay",
        ),
        rule(
            "self.name in ['SGD', 'RMSprop'] || self.momentum == 0.0",
            "training.optimizer.momentum is only read with training.optimizer.name SGD or RMSprop: remove it or change the "
            "name.",
            field_path=".momentum",
        ),
    )


class Scaling(StrEnum):
    """How the learning rate grows with the number of ranks, whose batches add up."""

    AUTO = "Auto"
    NONE = "None"
    LINEAR = "Linear"
    SQUARE_ROOT = "SquareRoot"


class ScheduleType(StrEnum):
    """Courses of the learning rate after warm-up."""

    CONSTANT = "Constant"
    COSINE = "Cosine"
    STEP = "Step"


class Schedule(Frozen):
    """The course of the learning rate."""

    type: Annotated[
        ScheduleType,
        Field(
            description="Constant, Cosine (falls to 0 in the last epoch, along half a wave) or Step (multiplied by stepFactor "
            "every stepEpochs epochs)."
        ),
    ] = ScheduleType.CONSTANT
    step_epochs: Annotated[
        int | None, Field(ge=1, le=100000, description="Epochs between two steps of type Step, which needs it.")
    ] = None
    step_factor: Annotated[
        PositiveFraction, Field(description="Factor of each step of type Step, more than 0 and below 1, for example 0.1.")
    ] = 0.1
    warmup_epochs: Annotated[
        int, Field(ge=0, le=1000, description="Epochs in which the learning rate rises to its scaled value.")
    ] = 0
    scaling: Annotated[
        Scaling,
        Since(2, values=(Scaling.AUTO,)),
        MeantBefore(Scaling.LINEAR),
        Field(
            description="Factor on the learning rate by the number of ranks, times backwardPassesPerStep: None, Linear or "
            "SquareRoot. Auto: Linear with SGD (SquareRoot for ranks that leave an epoch less than 32 steps), SquareRoot with "
            "other optimizers; a factor above 2 has a warm-up where warmupEpochs is 0: 5 epochs, at most a tenth of all steps."
        ),
    ] = Scaling.AUTO

    model_config = rules(
        rule(
            "(self.type == 'Step') == has(self.stepEpochs)",
            "training.schedule.stepEpochs is needed with training.schedule.type Step, and must be left out with the others.",
        ),
    )


class StoppingMetric(StrEnum):
    """Metrics, averaged over all ranks, that training may stop on."""

    VALIDATION_LOSS = "val_loss"
    VALIDATION_ACCURACY = "val_accuracy"


class EarlyStopping(Frozen):
    """Stop when the metric has not improved for `patience` epochs, and keep the best weights."""

    metric: Annotated[StoppingMetric, Field(description="val_loss or val_accuracy.")] = StoppingMetric.VALIDATION_LOSS
    patience: Annotated[int, Field(ge=1, le=1000, description="Epochs without improvement before stopping.")] = 3
    minimum_delta: Annotated[
        Decimal,
        Field(description="Smallest change that counts as an improvement, for example 0.001.", json_schema_extra=up_to(1000)),
    ] = 0


class Regularization(Frozen):
    """Penalties on large weights."""

    l2: Annotated[
        Decimal, Field(description="L2 penalty on the kernels, for example 0.0001.", json_schema_extra=up_to(1000))
    ] = 0


class Checkpointing(Frozen):
    """When the state of training is written to the output."""

    every_epochs: Annotated[int, Field(ge=1, le=1000, description="Write after this many epochs.")] = 1
    keep: Annotated[int, Field(ge=1, le=100, description="How many checkpoints stay on the output.")] = 2


class Precision(StrEnum):
    """Numbers that the network computes with; weights are always Float32."""

    FLOAT32 = "Float32"
    MIXED = "Mixed"


class Training(Frozen):
    """The training loop."""

    epochs: Annotated[int, Field(ge=1, le=100000, description="Passes over the training data, at most.")] = 10
    batch_size: Annotated[
        Annotated[int, Field(ge=1, le=MOST_BATCH)] | Literal["Auto"],
        WithJsonSchema(
            {
                "anyOf": [{"type": "integer"}, {"type": "string"}],
                "pattern": AUTO_PATTERN,
                "maxLength": 24,
                "x-kubernetes-int-or-string": True,
            }
        ),
        Field(
            description="Samples that each rank takes at once: a number, for example 64, or Auto: doubled while the gang gets "
            "faster by more than 5 % and "
            "memory lasts, a few seconds before training."
        ),
    ] = 64
    precision: Annotated[
        Precision, Field(description="Float32, or Mixed: computed in bfloat16, faster on hardware that has it.")
    ] = Precision.FLOAT32
    optimizer: Annotated[Optimizer, Field(description="How gradients change the weights.")] = Optimizer()
    schedule: Annotated[Schedule, Field(description="The course of the learning rate.")] = Schedule()
    early_stopping: Annotated[
        EarlyStopping | None, Field(description="Stop when a metric stops improving. Default: train all epochs.")
    ] = None
    regularization: Annotated[Regularization, Field(description="Penalties on large weights.")] = Regularization()
    seed: Annotated[int, Field(ge=0, le=2147483647, description="Seed of the splits, weights, order and augmentation.")] = 7
    checkpoint: Annotated[Checkpointing, Field(description="When the state is written.")] = Checkpointing()

    model_config = rules(
        rule(
            "self.schedule.warmupEpochs < self.epochs",
            "'training.schedule.warmupEpochs %d must be smaller than training.epochs %d.'"
            ".format([self.schedule.warmupEpochs, self.epochs])",
            computed=True,
        ),
        rule(
            f"self.batchSize == '{AUTO}' || (int(self.batchSize) >= 1 && int(self.batchSize) <= {MOST_BATCH})",
            f"training.batchSize must be from 1 to {MOST_BATCH}, or Auto.",
            field_path=".batchSize",
        ),
    )
