"""Networks and the graphs that train and measure them, kept from trial to trial.

Building them takes longer than some trials do. Learning rate, schedule and batch size are fed to the graphs, so trials that
differ in nothing else share them, and each of them begins with the same first weights.
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
from trainingrun_trainer.resources import memory_limit, used_memory
from trainingrun_trainer.stages.evaluate import EvaluationSteps, evaluation_steps
from trainingrun_trainer.stages.network import first_network
from trainingrun_trainer.stages.optimizers import Optimizer
from trainingrun_trainer.stages.step import TrainingSteps, training_steps

Network = Any

MOST_KEPT = 8
"""Networks that are kept at once."""
MEMORY_SHARE = 0.5
"""Part of its share of the container's memory that a rank may use and still keep more than one network."""


@dataclass
class Graphs:
    """What is trained, and how."""

    network: Network
    optimizer: Optimizer
    train: TrainingSteps
    measure: EvaluationSteps
    first_weights: list[Any]

    @classmethod
    def build(cls, context: Context, split: Split) -> "Graphs":
        """Graphs for this configuration. Raises what building the network does."""
        network = first_network(context, split)
        optimizer = Optimizer(context.config.training.optimizer, network.trainable_variables)
        train = training_steps(context, network, optimizer, split.training)
        measure = evaluation_steps(network, split.validation)
        return cls(network, optimizer, train, measure, first_weights=network.get_weights())

    def begin_again(self) -> None:
        """Forget what has been learned."""
        self.network.set_weights(self.first_weights)
        for variable in self.optimizer.variables:
            variable.assign(tf.zeros_like(variable))


class Keeper:
    """Keeps the graphs of the last trials; a context manager for the time of a search."""

    def __init__(self, split: Split) -> None:
        self.split = split
        self._kept: dict[AttemptConfig, Graphs] = {}
        """The one that was used last at the end."""

    def __enter__(self) -> "Keeper":
        return self

    def __exit__(self, *_: object) -> None:
        self.drop()

    def graphs(self, context: Context) -> Graphs:
        """Graphs for this configuration, nothing learned yet. Raises what building the network does."""
        alike = _alike(context.config)
        graphs = self._kept.pop(alike, None)
        if graphs is None:
            self._make_room(context)
            graphs = Graphs.build(context, self.split)
        else:
            graphs.begin_again()
        self._kept[alike] = graphs
        return graphs

    @property
    def kept(self) -> int:
        """How many trials' graphs are kept."""
        return len(self._kept)

    def drop(self) -> None:
        """Free the memory of all that is kept."""
        self._kept.clear()
        _collect()

    def _make_room(self, context: Context) -> None:
        """Before another network needs memory: the one that was used longest ago goes, or all where memory is short."""
        if _is_short_of_memory(context):
            self.drop()
        elif len(self._kept) == MOST_KEPT:
            self._kept.pop(next(iter(self._kept)))
            _collect()


def _collect() -> None:
    """Free what nobody holds any more. tf_keras itself holds the symbolic tensors of all networks, until it is told."""
    tf_keras.backend.clear_session()
    gc.collect()


def _is_short_of_memory(context: Context) -> bool:
    limit = context.settings.memory_limit or memory_limit()
    return used_memory() * context.config.processes_per_worker > limit * MEMORY_SHARE


def _alike(config: AttemptConfig) -> AttemptConfig:
    """The configuration without what is fed to the graphs. How many samples are augmented at once depends on the batch size."""
    training = config.training
    fed = {
        "optimizer": training.optimizer.model_copy(update={"learning_rate": 0.0}),
        "schedule": Schedule(),
        "batch_size": 0 if config.augmentation is None else training.batch_size,
    }
    return config.model_copy(update={"training": training.model_copy(update=fed)})
