"""A network and the graph that trains it, kept from trial to trial.

Building both takes longer than some trials do. Learning rate, schedule and batch size are fed to the graph, so trials that
differ in nothing else share one, and each of them begins with the same first weights.
"""

import gc
from dataclasses import dataclass
from typing import Any

import tensorflow as tf
import tf_keras

from trainingrun.api import Schedule
from trainingrun.contract import AttemptConfig
from trainingrun_trainer.context import Context
from trainingrun_trainer.data.feed import Split
from trainingrun_trainer.stages.network import first_network
from trainingrun_trainer.stages.optimizers import Optimizer
from trainingrun_trainer.stages.step import TrainingSteps, training_steps

Network = Any


@dataclass
class Graphs:
    """What is trained, and how."""

    network: Network
    optimizer: Optimizer
    run: TrainingSteps
    built_for: AttemptConfig
    first_weights: list[Any]

    def begin_again(self) -> None:
        """Forget what has been learned."""
        self.network.set_weights(self.first_weights)
        for variable in self.optimizer.variables:
            variable.assign(tf.zeros_like(variable))


class Keeper:
    """Keeps the graphs of the last trial; a context manager for the time of a search."""

    def __init__(self, split: Split) -> None:
        self.split = split
        self._kept: Graphs | None = None

    def __enter__(self) -> "Keeper":
        # What is there now stays: to look through all of TensorFlow's objects for garbage takes half a second.
        gc.collect()
        gc.freeze()
        return self

    def __exit__(self, *_: object) -> None:
        self.drop()
        gc.unfreeze()

    def graphs(self, context: Context) -> Graphs:
        """Graphs for this configuration, nothing learned yet. Raises what building the network does."""
        alike = _alike(context.config)
        if self._kept is not None and self._kept.built_for == alike:
            self._kept.begin_again()
            return self._kept
        self.drop()  # before others need memory
        network = first_network(context, self.split)
        optimizer = Optimizer(context.config.training.optimizer, network.trainable_variables)
        run = training_steps(context, network, optimizer, self.split.training)
        self._kept = Graphs(network, optimizer, run, built_for=alike, first_weights=network.get_weights())
        return self._kept

    def drop(self) -> None:
        """Free the memory of what is kept."""
        self._kept = None
        tf_keras.backend.clear_session()
        gc.collect()


def _alike(config: AttemptConfig) -> AttemptConfig:
    """The configuration without what is fed to the graph. How many samples are augmented at once depends on the batch size."""
    training = config.training
    fed = {
        "optimizer": training.optimizer.model_copy(update={"learning_rate": "0"}),
        "schedule": Schedule(),
        "batch_size": 0 if config.augmentation is None else training.batch_size,
    }
    return config.model_copy(update={"training": training.model_copy(update=fed)})
