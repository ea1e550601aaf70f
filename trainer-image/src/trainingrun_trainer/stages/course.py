"""What tells one training of a network from another: the first, and those that follow it to make the network smaller."""

from dataclasses import dataclass

from trainingrun.api import Optimizer, OptimizerName, Pruning, Quantization, Schedule, ScheduleType, Training, number
from trainingrun.contract import Stage
from trainingrun_trainer.output.place import Place
from trainingrun_trainer.settings import OutputPaths

PRUNING_FACTOR, PRUNING_RATE = 5.0, 0.005
"""By default pruning goes on with so many times the learning rate of training, up to this one, where steps are normalised by
their gradients. Measured on digits with a CNN of which a tenth of the weights is left, in ten epochs: with the rate of
training, 0.001, it loses 4 points of accuracy, with five times as much at most 1. An MLP that a search trained with 0.017 loses
4 points with 0.085, and 1 with 0.017."""


@dataclass(frozen=True)
class Course:
    """Epochs of training, with state and curves of their own on the output."""

    stage: Stage
    training: Training
    """With the epochs, the learning rate and the schedule of this course."""
    rate: str
    """The field that sets the learning rate, and its value, for people."""
    name: str = ""
    """What tells its files from those of the other courses of the run."""

    @classmethod
    def of_training(cls, training: Training) -> "Course":
        """The first: as `spec.training` says."""
        return cls(Stage.TRAINING, training, rate=_rate(training))

    @classmethod
    def of_pruning(cls, training: Training, pruning: Pruning, *, sparsity: str) -> "Course":
        """Fine-tuning while weights become zero."""
        rate = pruning.learning_rate or _pruning_rate(training.optimizer)
        changed = training.optimizer.model_copy(update={"learning_rate": rate})
        tuned = _finer(training.model_copy(update={"optimizer": changed}), epochs=pruning.epochs)
        field = f"spec.compression.pruning.learningRate {rate}"
        return cls(Stage.PRUNING, tuned, rate=field, name=f"pruned-{sparsity}")

    @classmethod
    def of_quantization(cls, training: Training, quantization: Quantization, *, name: str) -> "Course":
        """Fine-tuning of a network that computes in eight bits."""
        tuned = _finer(training, epochs=quantization.epochs)
        return cls(Stage.QUANTIZING, tuned, rate=_rate(training), name=f"{name}-aware")

    def states(self, paths: OutputPaths) -> Place:
        """The folder with a folder of checkpoints for each attempt of the round."""
        return paths.round.join(self.name) if self.name else paths.round

    def curves(self, paths: OutputPaths) -> Place:
        """Where its journal is, for people."""
        return paths.run.join(self.name) if self.name else paths.run


def _pruning_rate(optimizer: Optimizer) -> str:
    """What the learning rate is by default: a decimal string.

    Weights that are left must go far to make up for those that are gone.
    """
    rate = number(optimizer.learning_rate)
    if optimizer.name is not OptimizerName.SGD:
        rate = max(rate, min(PRUNING_FACTOR * rate, PRUNING_RATE))
    return f"{rate:.6g}"


def _finer(training: Training, *, epochs: int) -> Training:
    """Fine-tuning: the rate falls along a cosine at once, and all epochs are trained, for their last one is the result."""
    schedule = Schedule(type=ScheduleType.COSINE, scaling=training.schedule.scaling)
    return training.model_copy(update={"epochs": epochs, "schedule": schedule, "early_stopping": None})


def _rate(training: Training) -> str:
    return f"spec.training.optimizer.learningRate {training.optimizer.learning_rate}"
