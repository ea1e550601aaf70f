"""What tells one training of a network from another: the first, and those that follow it to make the network smaller."""

import math
from dataclasses import dataclass

from trainingrun.api import Pruning, Quantization, Schedule, ScheduleType, Training, number
from trainingrun.contract import Stage
from trainingrun_trainer.output.place import Place
from trainingrun_trainer.settings import OutputPaths
from trainingrun_trainer.stages.schedule import Rates, fine_tuning_rates, is_adaptive, training_rates

PRUNING_FACTOR, MOST_RATE = 5.0, 0.005
"""By default pruning goes on with so many times the learning rate of training where steps are normalised by their gradients.
No default of fine-tuning is above the other, on any number of ranks, but where one rank trained with more. Measured on digits
with a CNN of which a tenth of the weights is left, in ten epochs: with the rate of training, 0.001, it loses 4 points of
accuracy, with five times as much at most 1. An MLP that a search trained with 0.017 loses 4 points with 0.085, and 1 with
0.017."""

LEARNING_RATE = "spec.training.optimizer.learningRate"
PRUNING_RATE = "spec.compression.pruning.learningRate"


@dataclass(frozen=True)
class Course:
    """Epochs of training, with state and curves of their own on the output."""

    stage: Stage
    training: Training
    """With the epochs, the learning rate of one rank and the schedule of this course."""
    field: str = LEARNING_RATE
    """The one that sets the learning rate, for people."""
    origin: str = ""
    """After the field's name, where nobody has set it."""
    name: str = ""
    """What tells its files from those of the other courses of the run."""
    most: float = math.inf
    """What the learning rate of fine-tuning does not exceed, on all ranks together."""

    @classmethod
    def of_training(cls, training: Training) -> "Course":
        """The first: as `spec.training` says."""
        return cls(Stage.TRAINING, training)

    @classmethod
    def of_pruning(cls, training: Training, pruning: Pruning, *, sparsity: float) -> "Course":
        """Fine-tuning while weights become zero. Weights that are left must go far to make up for those that are gone."""
        rate, most, origin = pruning.learning_rate, math.inf, ""
        if rate is None:
            origin = " by default"
            most = _most(training)
            one = number(training.optimizer.learning_rate)
            rate = number(f"{min(most, PRUNING_FACTOR * one) if is_adaptive(training) else one:.6g}")
        changed = training.optimizer.model_copy(update={"learning_rate": rate})
        tuned = _finer(training.model_copy(update={"optimizer": changed}), epochs=pruning.epochs)
        return cls(Stage.PRUNING, tuned, field=PRUNING_RATE, origin=origin, name=f"pruned-{sparsity}", most=most)

    @classmethod
    def of_quantization(cls, training: Training, quantization: Quantization, *, name: str) -> "Course":
        """Fine-tuning of a network that computes in eight bits."""
        tuned = _finer(training, epochs=quantization.epochs)
        return cls(Stage.QUANTIZING, tuned, name=f"{name}-aware", most=_most(training))

    def rates(self, *, batches: int, steps: int) -> Rates:
        """The learning rates with `batches` batches in a step, and `steps` steps in an epoch."""
        if self.stage is Stage.TRAINING:
            return training_rates(self.training, batches=batches, steps=steps)
        return fine_tuning_rates(self.training, batches=batches, steps=steps, most=self.most)

    def states(self, paths: OutputPaths) -> Place:
        """The folder with a folder of checkpoints for each attempt of the round."""
        return paths.round.join(self.name) if self.name else paths.round

    def curves(self, paths: OutputPaths) -> Place:
        """Where its journal is, for people."""
        return paths.run.join(self.name) if self.name else paths.run


def _most(training: Training) -> float:
    """The highest rate that fine-tuning has by default."""
    return max(MOST_RATE, number(training.optimizer.learning_rate)) if is_adaptive(training) else math.inf


def _finer(training: Training, *, epochs: int) -> Training:
    """Fine-tuning: the rate falls along a cosine, and all epochs are trained, for their last one is the result."""
    schedule = Schedule(type=ScheduleType.COSINE, scaling=training.schedule.scaling)
    return training.model_copy(update={"epochs": epochs, "schedule": schedule, "early_stopping": None})
