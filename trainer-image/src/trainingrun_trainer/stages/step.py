"""The graph of training: many steps per call, so that Python costs nothing per step.

The host looks only between calls. While some steps train, the samples of the next ones are prepared in the same graph: that is
how augmentation uses a second processor. AutoGraph is off: its first use would import Keras 3, which takes seconds.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from trainingrun.api import Augmentation
from trainingrun_trainer.context import Context
from trainingrun_trainer.data.augment import draw, random_matrices, warp
from trainingrun_trainer.data.feed import Batches, Feed, batches_signature
from trainingrun_trainer.models.weights import kernels
from trainingrun_trainer.stages.noise import Noise
from trainingrun_trainer.stages.optimizers import Learner
from trainingrun_trainer.stages.plan import EpochPlan

Tensor = Any
Network = Any

MOST_STEPS_AHEAD = 4
BYTES_AHEAD = 2 * 2**20
"""Of augmented samples, as floats, that are prepared while others are trained on."""
FLOAT_BYTES = 4
USUAL_BATCH = 64
"""What is assumed while the batch size is still looked for."""

TrainingSteps = Callable[[EpochPlan, Batches, int], Tensor]
"""(plan, batches, number of their first step) trains, and returns this rank's sums: loss, correct answers, samples."""


def training_steps(context: Context, network: Network, optimizer: Learner, feed: Feed) -> TrainingSteps:
    """Build the graph.

    The gradient of a step is the mean over the samples of all ranks: each rank's sum of losses is divided by the global
    number of samples, and the results are added up. Penalties on weights count once, not once per rank.
    """
    config, gang = context.config, context.gang
    noise = Noise(network, seed=config.training.seed, rank=gang.rank)
    ahead = _steps_ahead(context, feed)
    prepare = _preparation(context, feed, ahead=ahead)
    differentiate = _in_passes(_differentiation(context, network), passes=config.backward_passes_per_step)

    def one_device(rows: tuple[Tensor, ...], others: tuple[Tensor, ...]) -> Tensor:
        inputs, labels, weights = rows
        total, rate, number = others
        noise.reseed(number)
        gradients, counted = differentiate(inputs, labels, weights, total)
        optimizer.apply(gang.sum_gradients(gradients), learning_rate=rate)
        return counted

    train = gang.on_devices(one_device)
    signature = [
        *batches_signature(feed),
        tf.TensorSpec([None, None], tf.float32, name="weights"),
        tf.TensorSpec([None], tf.float32, name="totals"),
        tf.TensorSpec([None], tf.float32, name="rates"),
        tf.TensorSpec([], tf.uint64, name="key"),
        tf.TensorSpec([2], tf.int64, name="numbers"),
    ]

    @tf.function(autograph=False, input_signature=signature)  # type: ignore[untyped-decorator]  # TensorFlow ships no types
    def run(
        inputs: Tensor,
        labels: Tensor,
        rows: Tensor,
        weights: Tensor,
        totals: Tensor,
        rates: Tensor,
        key: Tensor,
        numbers: Tensor,
    ) -> Tensor:
        steps = tf.shape(rows)[0]
        groups = (steps + ahead - 1) // ahead
        group = prepare(inputs, labels, rows, key, numbers)

        def one_group(number: Tensor, sums: Tensor, current: Prepared) -> tuple[Tensor, Tensor, Prepared]:
            following = group(tf.minimum(number + 1, groups - 1))
            first = number * ahead

            def one_step(place: Tensor, sums: Tensor) -> tuple[Tensor, Tensor]:
                step = first + place
                samples, answers = (tf.gather(each, place) for each in current)
                others = (tf.gather(totals, step), tf.gather(rates, step), numbers[1] + tf.cast(step, tf.int64))
                counted = train((samples, answers, tf.gather(weights, step)), others)
                return place + 1, sums + tf.cast(counted, tf.float64)

            if ahead == 1:
                return number + 1, one_step(tf.constant(0), sums)[1], following
            last = tf.minimum(ahead, steps - first)
            _, sums = tf.while_loop(lambda place, _: place < last, one_step, (tf.constant(0), sums), parallel_iterations=1)
            return number + 1, sums, following

        start = (tf.constant(0), tf.zeros([3], tf.float64), group(tf.constant(0)))
        _, sums, _ = tf.while_loop(lambda number, *_: number < groups, one_group, start, parallel_iterations=1)
        return sums

    def call(plan: EpochPlan, batches: Batches, first: int) -> Tensor:
        part = slice(first, first + len(batches.rows))
        return run(
            *(tf.constant(array) if isinstance(array, np.ndarray) else array for array in batches),
            tf.constant(plan.shard.weights[part]),
            tf.constant(plan.shard.total[part]),
            tf.constant(plan.learning_rates[part]),
            tf.constant(plan.key, tf.uint64),
            tf.constant([first, plan.before + first], tf.int64),
        )

    return call


Prepared = tuple[Tensor, Tensor]
"""Inputs [steps, batch, *shape], augmented, and labels [steps, batch], of the steps that are prepared at once."""


def _steps_ahead(context: Context, feed: Feed) -> int:
    """How many steps are prepared at once: a warp of a few small images is mostly beginning and ending."""
    if _augmentation(context, feed) is None:
        return 1
    training = context.config.training
    batch = training.batch_size if isinstance(training.batch_size, int) else USUAL_BATCH
    step_bytes = batch * context.config.backward_passes_per_step * math.prod(feed.shape) * FLOAT_BYTES
    return max(1, min(MOST_STEPS_AHEAD, BYTES_AHEAD // step_bytes))


def _augmentation(context: Context, feed: Feed) -> Augmentation | None:
    """What there is to change on images; on other samples nothing."""
    return context.config.augmentation if len(feed.shape) == 3 else None


def _preparation(context: Context, feed: Feed, *, ahead: int) -> Callable[..., Callable[[Tensor], Prepared]]:
    """A function of the samples of a call that returns a function of a group's number."""
    augmentation = _augmentation(context, feed)

    def prepare(inputs: Tensor, labels: Tensor, rows: Tensor, key: Tensor, numbers: Tensor) -> Callable[[Tensor], Prepared]:
        steps, batch = tf.unstack(tf.shape(rows))
        # The last group may be a short one: it is filled up with the last step, which is not taken again.
        places = tf.reshape(tf.minimum(tf.range((steps + ahead - 1) // ahead * ahead), steps - 1), [-1, ahead])
        form = tf.stack([ahead, batch, *feed.shape])

        def plain(number: Tensor) -> tuple[Tensor, Tensor]:
            taken = tf.gather(rows, tf.gather(places, number))
            samples = tf.gather(inputs, tf.reshape(taken, [-1]))
            return feed.normalization(tf.cast(samples, tf.float32)), tf.gather(labels, taken)

        def unchanged(number: Tensor) -> Prepared:
            samples, answers = plain(number)
            return tf.ensure_shape(tf.reshape(samples, form), [ahead, None, *feed.shape]), answers

        if augmentation is None:
            return unchanged
        draws = draw(steps * batch, key=key, first=numbers[0] * tf.cast(batch, tf.int64))
        # For all steps at once: on one batch these are many operations on little data.
        matrices = random_matrices(augmentation, draws=draws, height=feed.shape[0], width=feed.shape[1])
        by_step = tf.reshape(matrices, [steps, batch, 3, 3])

        def augmented(number: Tensor) -> Prepared:
            samples, answers = plain(number)
            chosen = tf.reshape(tf.gather(by_step, tf.gather(places, number)), [-1, 3, 3])
            changed = warp(tf.ensure_shape(samples, [None, *feed.shape]), chosen, fill=augmentation.fill_mode)
            return tf.ensure_shape(tf.reshape(changed, form), [ahead, None, *feed.shape]), answers

        return augmented

    return prepare


Differentiation = Callable[[Tensor, Tensor, Tensor, Tensor], tuple[list[Tensor], Tensor]]
"""(inputs, labels, weights, samples of all ranks) gives the gradients and the sums."""


def _differentiation(context: Context, network: Network) -> Differentiation:
    trained = network.trainable_variables
    l2 = context.config.training.regularization.l2
    # Every device and every pass adds the penalties to its part of the gradient.
    share = 1.0 / context.step_batches

    def differentiate(inputs: Tensor, labels: Tensor, weights: Tensor, total: Tensor) -> tuple[list[Tensor], Tensor]:
        with tf.GradientTape() as tape:
            logits = tf.cast(network(inputs, training=True), tf.float32)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
            loss = tf.reduce_sum(losses * weights)
            penalties = [tf.cast(penalty, tf.float32) for penalty in network.losses]
            if l2 > 0:
                penalties += [2 * l2 * tf.nn.l2_loss(kernel) for kernel in kernels(trained)]
            objective = loss / total + (tf.add_n(penalties) * share if penalties else 0.0)
        gradients = tape.gradient(objective, trained, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        counted = tf.stack([loss, correct_answers(logits, labels, weights), tf.reduce_sum(weights)])
        return [tf.convert_to_tensor(gradient) for gradient in gradients], counted

    return differentiate


def _in_passes(differentiate: Differentiation, *, passes: int) -> Differentiation:
    """Take a step's samples in equal parts, one after the other, so that only one of them needs memory at a time."""
    if passes == 1:
        return differentiate

    def accumulate(inputs: Tensor, labels: Tensor, weights: Tensor, total: Tensor) -> tuple[list[Tensor], Tensor]:
        samples, answers, counts = (tf.reshape(each, [passes, -1, *each.shape[1:]]) for each in (inputs, labels, weights))
        gradients, counted = differentiate(samples[0], answers[0], counts[0], total)

        def one_pass(number: Tensor, *before: Tensor) -> tuple[Tensor, ...]:
            more, also = differentiate(samples[number], answers[number], counts[number], total)
            return number + 1, *(one + other for one, other in zip(before, [*more, also], strict=True))

        _, *added = tf.while_loop(
            lambda number, *_: number < passes, one_pass, (tf.constant(1), *gradients, counted), parallel_iterations=1
        )
        return added[:-1], added[-1]

    return accumulate


def correct_answers(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """How many samples, each counted by its weight, have their label as the largest logit."""
    hits = tf.equal(tf.argmax(logits, axis=1, output_type=tf.int32), labels)
    return tf.reduce_sum(tf.cast(hits, tf.float32) * weights)


def in_doubles(sums: list[Tensor]) -> Tensor:
    """One vector, so exact that it does not matter how many steps are added up in one call."""
    return tf.cast(tf.stack(sums), tf.float64)
