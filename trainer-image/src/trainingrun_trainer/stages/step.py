"""The graph of training: many steps per call, so that Python costs nothing per step.

The host looks only between calls. While a step trains, the samples of the next one are prepared in the same graph: that is
how augmentation uses a second processor. AutoGraph is off: its first use would import Keras 3, which takes seconds.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from trainingrun.api import number
from trainingrun_trainer.context import Context
from trainingrun_trainer.data.augment import draw, random_matrices, warp
from trainingrun_trainer.data.feed import Batches, Feed, batches_signature
from trainingrun_trainer.models.weights import kernels
from trainingrun_trainer.stages.noise import Noise
from trainingrun_trainer.stages.optimizers import Optimizer
from trainingrun_trainer.stages.plan import EpochPlan

Tensor = Any
Network = Any


TrainingSteps = Callable[[EpochPlan, Batches, int], Tensor]
"""(plan, batches, number of their first step) trains, and returns this rank's sums: loss, correct answers, samples."""


def training_steps(context: Context, network: Network, optimizer: Optimizer, feed: Feed) -> TrainingSteps:
    """Build the graph.

    The gradient of a step is the mean over the samples of all ranks: each rank's sum of losses is divided by the global
    number of samples, and the results are added up. Penalties on weights count once, not once per rank.
    """
    config, gang = context.config, context.gang
    noise = Noise(network, seed=config.training.seed, rank=gang.rank)
    prepare = _preparation(context, feed)
    differentiate = _in_passes(_differentiation(context, network), passes=config.backward_passes_per_step)

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
        batch = prepare(inputs, labels, rows, key, numbers)

        def one_step(
            step: Tensor, sums: Tensor, current: tuple[Tensor, Tensor]
        ) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor]]:
            following = batch(tf.minimum(step + 1, steps - 1))
            noise.reseed(numbers[1] + tf.cast(step, tf.int64))
            gradients, counted = differentiate(*current, tf.gather(weights, step), tf.gather(totals, step))
            optimizer.apply(gang.sum_gradients(gradients), learning_rate=tf.gather(rates, step))
            return step + 1, sums + counted, following

        first = (tf.constant(0), tf.zeros([3], tf.float64), batch(tf.constant(0)))
        _, sums, _ = tf.while_loop(lambda step, *_: step < steps, one_step, first, parallel_iterations=1)
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


def _preparation(context: Context, feed: Feed) -> Callable[..., Callable[[Tensor], tuple[Tensor, Tensor]]]:
    """A function of the samples of a call that returns a function of a step: its inputs, augmented, and labels."""
    augmentation = context.config.augmentation if len(feed.shape) == 3 else None

    def prepare(
        inputs: Tensor, labels: Tensor, rows: Tensor, key: Tensor, numbers: Tensor
    ) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
        def plain(step: Tensor) -> tuple[Tensor, Tensor]:
            places = tf.gather(rows, step)  # one operation; slicing takes four
            taken = tf.cast(tf.gather(inputs, places), tf.float32) * feed.scale
            return tf.ensure_shape(taken, [None, *feed.shape]), tf.gather(labels, places)

        if augmentation is None:
            return plain
        steps, batch = tf.unstack(tf.shape(rows))
        draws = draw(steps * batch, key=key, first=numbers[0] * tf.cast(batch, tf.int64))
        # For all steps at once: on one batch these are many operations on little data.
        matrices = random_matrices(augmentation, draws=draws, height=feed.shape[0], width=feed.shape[1])
        matrices = tf.reshape(matrices, [steps, batch, 3, 3])

        def augmented(step: Tensor) -> tuple[Tensor, Tensor]:
            images, taken = plain(step)
            return warp(images, tf.gather(matrices, step), fill=augmentation.fill_mode), taken

        return augmented

    return prepare


Differentiation = Callable[[Tensor, Tensor, Tensor, Tensor], tuple[list[Tensor], Tensor]]
"""(inputs, labels, weights, samples of all ranks) gives the gradients and the sums."""


def _differentiation(context: Context, network: Network) -> Differentiation:
    trained = network.trainable_variables
    l2 = number(context.config.training.regularization.l2)
    # Every rank and every pass adds the penalties to its part of the gradient.
    share = 1.0 / (context.gang.size * context.config.backward_passes_per_step)

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
        counted = in_doubles([loss, correct_answers(logits, labels, weights), tf.reduce_sum(weights)])
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
