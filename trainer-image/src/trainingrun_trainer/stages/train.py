"""The stage that trains the network of the run."""

from typing import Any

from trainingrun_trainer.checkpoint import LoopState
from trainingrun_trainer.context import Context
from trainingrun_trainer.data.feed import Split
from trainingrun_trainer.stages.course import Course
from trainingrun_trainer.stages.loop import follow
from trainingrun_trainer.stages.network import on_devices
from trainingrun_trainer.stages.optimizers import Optimizer

Network = Any


def train(context: Context, network: Network, split: Split) -> LoopState:
    """Train the network, going on from the newest checkpoint of the round; it ends with its best weights.

    Raises TrainerError: NotANumber, WeightsDiverged, OutputFailed, Superseded, or Interrupted after a checkpoint.
    """
    training = context.config.training
    with on_devices(context, network, split.training) as placed:
        optimizer = Optimizer(training.optimizer, placed.trainable_variables)
        return follow(Course.of_training(training), context, placed, split, optimizer=optimizer)
