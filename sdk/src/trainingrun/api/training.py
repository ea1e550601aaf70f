"""`spec.training`: epochs, batch size, optimizer, schedule, early stopping, checkpoints."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from trainingrun.api.base import Decimal, Frozen, rule, rules


class OptimizerName(StrEnum):
    """Optimizers of the trainer."""

    ADAM = "Adam"
    SGD = "SGD"


class Optimizer(Frozen):
    """How gradients change the weights."""

    name: Annotated[OptimizerName, Field(description="Adam or SGD.")] = OptimizerName.ADAM
    learning_rate: Annotated[
        Decimal, Field(description="Learning rate of one rank, before scaling, for example 0.001 or 1e-3.")
    ] = "0.001"
    momentum: Annotated[Decimal, Field(description="Momentum of SGD, from 0 to below 1.")] = "0"

    model_config = rules(
        rule(
            "double(self.learningRate) > 0.0",
            'training.optimizer.learningRate must be more than 0, for example "0.001".',
            field_path=".learningRate",
        ),
        rule(
            "double(self.momentum) < 1.0",
            "'training.optimizer.momentum ' + self.momentum + ' must be below 1.'",
            field_path=".momentum",
            computed=True,
        ),
        rule(
            "self.name == 'SGD' || double(self.momentum) == 0.0",
            "training.optimizer.momentum is only read with training.optimizer.name SGD: remove it or change the name.",
            field_path=".momentum",
        ),
    )


class Scaling(StrEnum):
    """How the learning rate grows with the number of ranks, whose batches add up."""

    NONE = "None"
    LINEAR = "Linear"
    SQUARE_ROOT = "SquareRoot"


class Schedule(Frozen):
    """The course of the learning rate."""

    warmup_epochs: Annotated[
        int, Field(ge=0, le=1000, description="Epochs in which the learning rate rises to its scaled value.")
    ] = 0
    scaling: Annotated[
        Scaling, Field(description="Factor on the learning rate by number of ranks: None, Linear or SquareRoot.")
    ] = Scaling.LINEAR


class StoppingMetric(StrEnum):
    """Metrics, averaged over all ranks, that training may stop on."""

    VALIDATION_LOSS = "val_loss"
    VALIDATION_ACCURACY = "val_accuracy"


class EarlyStopping(Frozen):
    """Stop when the metric has not improved for `patience` epochs, and keep the best weights."""

    metric: Annotated[StoppingMetric, Field(description="val_loss or val_accuracy.")] = StoppingMetric.VALIDATION_LOSS
    patience: Annotated[int, Field(ge=1, le=1000, description="Epochs without improvement before stopping.")] = 3
    minimum_delta: Annotated[Decimal, Field(description="Smallest change that counts as an improvement.")] = "0"


class Regularization(Frozen):
    """Penalties on large weights."""

    l2: Annotated[Decimal, Field(description="L2 penalty on the kernels, for example 1e-4.")] = "0"


class Checkpointing(Frozen):
    """When the state of training is written to the output."""

    every_epochs: Annotated[int, Field(ge=1, le=1000, description="Write after this many epochs.")] = 1
    keep: Annotated[int, Field(ge=1, le=100, description="How many checkpoints stay on the output.")] = 2


class Training(Frozen):
    """The training loop."""

    epochs: Annotated[int, Field(ge=1, le=100000, description="Passes over the training data, at most.")] = 10
    batch_size: Annotated[int, Field(ge=1, le=65536, description="Samples per step of each rank.")] = 64
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
        )
    )
