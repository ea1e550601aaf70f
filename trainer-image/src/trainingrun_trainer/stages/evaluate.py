"""Measure a network on samples it is not trained on; the stage that does so at the end of a run."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainingrun.contract import Stage
from trainingrun_trainer.context import Context
from trainingrun_trainer.data.feed import Batches, Feed, Split, batches_signature
from trainingrun_trainer.data.shard import Shard, shard, steps_per_epoch
from trainingrun_trainer.errors import interrupted
from trainingrun_trainer.stages.calls import CallLength, in_calls
from trainingrun_trainer.stages.step import correct_answers, in_doubles

Tensor = Any
Network = Any

EvaluationSteps = Callable[[Shard, Batches, int], Tensor]
"""(this rank's part, batches, number of their first step) returns this rank's sums: loss, correct answers, samples."""


def evaluate(context: Context, network: Network, split: Split) -> dict[str, float]:
    """Loss and accuracy on the validation samples, and on the test samples if there are any.

    Raises TrainerError (Interrupted): there is nothing to save, training has done so.
    """
    parts = {"val": split.validation, "test": split.test} if len(split.test) > 0 else {"val": split.validation}
    batch, size = context.batch_size, context.gang.size
    steps = {prefix: steps_per_epoch(len(samples), batch=batch, size=size) for prefix, samples in parts.items()}
    context.progress.stage(Stage.EVALUATING, steps=sum(steps.values()))
    metrics: dict[str, float] = {}
    done = 0
    for prefix, samples in parts.items():
        loss, correct, count = _measure(context, network, samples, done=done)
        metrics |= {f"{prefix}_loss": loss / count, f"{prefix}_accuracy": correct / count}
        done += steps[prefix]
    return metrics


def _measure(context: Context, network: Network, feed: Feed, *, done: int) -> NDArray[np.float64]:
    """Sums over all samples; `done` steps of the stage came before."""
    part = own_part(context, feed)
    run = partial(evaluation_steps(network, feed), part)
    sums = np.zeros(3)
    for call in in_calls(context, run, feed, part, first=0, length=CallLength()):
        sums += call.sums
        context.progress.step(step=done + call.end, samples=context.batch_size * context.gang.size)
        if call.is_told:
            raise interrupted("Told to stop while evaluating; the trained weights are saved.")
    return sums


def own_part(context: Context, feed: Feed) -> Shard:
    """What this rank measures, in the samples' own order."""
    return shard(len(feed), batch=context.batch_size, rank=context.gang.rank, size=context.gang.size)


def evaluation_steps(network: Network, feed: Feed) -> EvaluationSteps:
    """Build the graph."""
    signature = [*batches_signature(feed), tf.TensorSpec([None, None], tf.float32, name="weights")]

    @tf.function(autograph=False, input_signature=signature)  # type: ignore[untyped-decorator]  # TensorFlow ships no types
    def run(inputs: Tensor, labels: Tensor, rows: Tensor, weights: Tensor) -> Tensor:
        def one_step(step: Tensor, sums: Tensor) -> tuple[Tensor, Tensor]:
            taken, answers = tf.gather(inputs, rows[step]), tf.gather(labels, rows[step])
            samples = tf.ensure_shape(tf.cast(taken, tf.float32) * feed.scale, [None, *feed.shape])
            logits = tf.cast(network(samples, training=False), tf.float32)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=answers, logits=logits)
            used = weights[step]
            counted = [tf.reduce_sum(losses * used), correct_answers(logits, answers, used), tf.reduce_sum(used)]
            return step + 1, sums + in_doubles(counted)

        _, sums = tf.while_loop(lambda step, _: step < tf.shape(rows)[0], one_step, (tf.constant(0), tf.zeros([3], tf.float64)))
        return sums

    def call(part: Shard, batches: Batches, first: int) -> Tensor:
        inputs, labels, rows = batches
        return run(inputs, labels, tf.constant(rows), tf.constant(part.weights[first : first + len(rows)]))

    return call
