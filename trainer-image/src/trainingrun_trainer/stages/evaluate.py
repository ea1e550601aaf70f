"""The stage that measures the finished network on samples it has not seen."""

from typing import Any

import numpy as np

from trainingrun.contract import Stage
from trainingrun_trainer.context import Context
from trainingrun_trainer.data.dataset import Dataset, Split
from trainingrun_trainer.data.shard import shard
from trainingrun_trainer.stages.step import Samples, evaluation_steps

Network = Any


def evaluate(context: Context, network: Network, split: Split) -> dict[str, float]:
    """Loss and accuracy on the validation samples, and on the test samples if there are any."""
    context.progress.stage(Stage.EVALUATING)
    metrics = _measure(context, network, split.validation, prefix="val")
    if len(split.test) > 0:
        metrics |= _measure(context, network, split.test, prefix="test")
    return metrics


def _measure(context: Context, network: Network, samples: Dataset, *, prefix: str) -> dict[str, float]:
    part = shard(len(samples), batch=context.config.training.batch_size, rank=context.gang.rank, size=context.gang.size)
    run = evaluation_steps(network, Samples.of(samples))
    loss, correct, count = context.gang.sum(np.asarray(run(part), dtype=np.float64)).tolist()
    return {f"{prefix}_loss": loss / count, f"{prefix}_accuracy": correct / count}
