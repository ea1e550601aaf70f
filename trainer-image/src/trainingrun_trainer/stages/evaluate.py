"""The stage that measures the finished network on samples it has not seen."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainingrun.contract import Stage
from trainingrun_trainer.context import Context
from trainingrun_trainer.data.dataset import Dataset, Split
from trainingrun_trainer.data.shard import shard, steps_per_epoch
from trainingrun_trainer.errors import interrupted
from trainingrun_trainer.stages.calls import CallLength, in_calls
from trainingrun_trainer.stages.step import Samples, evaluation_steps

Network = Any


def evaluate(context: Context, network: Network, split: Split) -> dict[str, float]:
    """Loss and accuracy on the validation samples, and on the test samples if there are any.

    Raises TrainerError (Interrupted): there is nothing to save, training has done so.
    """
    parts = {"val": split.validation, "test": split.test} if len(split.test) > 0 else {"val": split.validation}
    batch, size = context.config.training.batch_size, context.gang.size
    steps = {prefix: steps_per_epoch(len(samples), batch=batch, size=size) for prefix, samples in parts.items()}
    context.progress.stage(Stage.EVALUATING, steps=sum(steps.values()))
    metrics: dict[str, float] = {}
    done = 0
    for prefix, samples in parts.items():
        loss, correct, count = _measure(context, network, samples, done=done)
        metrics |= {f"{prefix}_loss": loss / count, f"{prefix}_accuracy": correct / count}
        done += steps[prefix]
    return metrics


def _measure(context: Context, network: Network, samples: Dataset, *, done: int) -> NDArray[np.float64]:
    """Sums over all samples; `done` steps of the stage came before."""
    batch, gang = context.config.training.batch_size, context.gang
    part = shard(len(samples), batch=batch, rank=gang.rank, size=gang.size)
    run = evaluation_steps(network, Samples.of(samples), part=part)
    sums = np.zeros(3)
    for call in in_calls(context, run, first=0, steps=part.steps, length=CallLength()):
        sums += call.sums
        context.progress.step(step=done + call.end, samples=batch * gang.size)
        if call.is_told:
            raise interrupted("Told to stop while evaluating; the trained weights are saved.")
    return sums
