"""Measure a network on samples it is not trained on; the stage that does so at the end of a run."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainingrun.contract import Stage
from trainingrun_trainer.artifacts.predictions import Predictions
from trainingrun_trainer.context import Context
from trainingrun_trainer.data.feed import Batches, Feed, Split, batches_signature
from trainingrun_trainer.data.host import rows_of
from trainingrun_trainer.data.shard import Shard, shard, steps_per_epoch
from trainingrun_trainer.errors import interrupted
from trainingrun_trainer.parallel.exchange import gather_bytes
from trainingrun_trainer.stages.calls import CallLength, in_calls
from trainingrun_trainer.stages.step import correct_answers, in_doubles

Tensor = Any
Network = Any
Arrays = tuple[Any, ...]
"""TensorFlow's, one entry for each step."""

EvaluationSteps = Callable[[Shard, Batches, int], Tensor]
"""(this rank's part, batches, number of their first step) returns this rank's sums: loss, correct answers, samples."""


@dataclass(frozen=True)
class Evaluation:
    """How good a network is."""

    metrics: dict[str, float]
    predictions: Predictions
    """Of all ranks, on the samples that models are judged on."""


def evaluate(context: Context, network: Network, split: Split) -> Evaluation:
    """Loss and accuracy on the validation samples, and on the test samples if there are any. All ranks must call this.

    Raises TrainerError (Interrupted): there is nothing to save, training has done so.
    """
    parts = {"val": split.validation, "test": split.test} if len(split.test) > 0 else {"val": split.validation}
    batch, size = context.batch_size, context.gang.size
    steps = {prefix: steps_per_epoch(len(samples), batch=batch, size=size) for prefix, samples in parts.items()}
    context.progress.stage(Stage.EVALUATING, steps=sum(steps.values()))
    metrics: dict[str, float] = {}
    done, own = 0, Predictions()
    for prefix, samples in parts.items():
        keep = own if samples is judged(split) else None
        loss, correct, count = _measure(context, network, samples, done=done, keep=keep)
        metrics |= {f"{prefix}_loss": loss / count, f"{prefix}_accuracy": correct / count}
        done += steps[prefix]
    return Evaluation(metrics, _of_all_ranks(context, own))


def judged(split: Split) -> Feed:
    """The samples that models are judged on: the test samples, or those of validation where there are none."""
    return split.test if len(split.test) > 0 else split.validation


def _of_all_ranks(context: Context, own: Predictions) -> Predictions:
    every = Predictions()
    for encoded in gather_bytes(context.gang, own.encode()):
        every.merge(Predictions.decode(encoded))
    return every


def _measure(context: Context, network: Network, feed: Feed, *, done: int, keep: Predictions | None) -> NDArray[np.float64]:
    """Sums over all samples; `done` steps of the stage came before. What this rank's samples were taken for is kept."""
    part = own_part(context, feed)
    run = partial(evaluation_steps(network, feed, keep=keep), part)
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


def evaluation_steps(network: Network, feed: Feed, *, keep: Predictions | None = None) -> EvaluationSteps:
    """Build the graph. What the samples are taken for is added to `keep`."""
    signature = [*batches_signature(feed), tf.TensorSpec([None, None], tf.float32, name="weights")]
    kinds = () if keep is None else (tf.int32, tf.float32)

    @tf.function(autograph=False, input_signature=signature)  # type: ignore[untyped-decorator]  # TensorFlow ships no types
    def run(inputs: Tensor, labels: Tensor, rows: Tensor, weights: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        steps = tf.shape(rows)[0]

        def one_step(step: Tensor, sums: Tensor, kept: Arrays) -> tuple[Tensor, Tensor, Arrays]:
            taken, answers = tf.gather(inputs, rows[step]), tf.gather(labels, rows[step])
            samples = tf.ensure_shape(feed.normalization(tf.cast(taken, tf.float32)), [None, *feed.shape])
            logits = tf.cast(network(samples, training=False), tf.float32)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=answers, logits=logits)
            used = weights[step]
            counted = [tf.reduce_sum(losses * used), correct_answers(logits, answers, used), tf.reduce_sum(used)]
            kept = tuple(array.write(step, each) for array, each in zip(kept, _predicted(logits), strict=False))
            return step + 1, sums + in_doubles(counted), kept

        arrays = tuple(tf.TensorArray(kind, size=steps, element_shape=[None]) for kind in kinds)
        start = (tf.constant(0), tf.zeros([3], tf.float64), arrays)
        _, sums, kept = tf.while_loop(lambda step, *_: step < steps, one_step, start)
        return sums, tuple(array.stack() for array in kept)

    def call(part: Shard, batches: Batches, first: int) -> Tensor:
        inputs, labels, rows = batches
        steps = slice(first, first + len(rows))
        weights = part.weights[steps]
        sums, kept = run(inputs, labels, tf.constant(rows), tf.constant(weights))
        if keep is not None:
            of_samples = [part.positions[steps], rows_of(labels, rows).numpy(), *(array.numpy() for array in kept)]
            positions, truths, predicted, probabilities = (array[weights > 0] for array in of_samples)
            keep.add(positions, truths=truths, predicted=predicted, probabilities=probabilities)
        return sums

    return call


def _predicted(logits: Tensor) -> tuple[Tensor, Tensor]:
    """The class with the largest logit and its probability, both [batch]."""
    return tf.argmax(logits, axis=1, output_type=tf.int32), tf.reduce_max(tf.nn.softmax(logits), axis=1)
