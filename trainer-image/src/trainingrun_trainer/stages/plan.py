"""What a rank does in an epoch. It follows from the configuration, so that an interrupted epoch goes on as planned."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainingrun_trainer.context import Context
from trainingrun_trainer.data.feed import Feed
from trainingrun_trainer.data.shard import Shard, epoch_order, shard, steps_per_epoch
from trainingrun_trainer.stages.schedule import Rates, training_rates


@dataclass(frozen=True)
class EpochPlan:
    """What the steps of an epoch need beside their samples."""

    shard: Shard
    learning_rates: NDArray[np.float32]
    key: int
    """Of what augmentation draws in this epoch on this rank."""
    before: int
    """Steps of the epochs before, and of the samples that are passed over."""


def epoch_plan(context: Context, feed: Feed, *, epoch: int, rates: Rates | None = None, skipped: int = 0) -> EpochPlan:
    """The plan of this rank for an epoch, counted from 0, after the first `skipped` samples of its order.

    The rates are those of `spec.training`, if no others are given.
    """
    training, gang = context.config.training, context.gang
    order = epoch_order(len(feed), seed=training.seed, epoch=epoch)[skipped:]
    mine = shard(len(order), batch=context.step_samples, rank=gang.rank, size=gang.size, order=order)
    steps = steps_per_epoch(len(feed), batch=context.step_samples, size=gang.size)
    passed = steps - mine.steps
    rates = rates or training_rates(training, batches=context.step_batches, steps=steps)
    seed = (training.seed, epoch, gang.rank, *([skipped] if skipped else []))
    return EpochPlan(
        shard=mine,
        learning_rates=rates.of_epoch(epoch)[passed:],
        key=int(np.random.default_rng(seed).integers(2**63)),
        before=epoch * steps + passed,
    )
