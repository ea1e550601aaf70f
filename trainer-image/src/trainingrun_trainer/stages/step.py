"""The graphs of training and evaluation: many steps per call, so that Python costs nothing per step.

Everything a step needs is a tensor of its epoch, indexed by the step's number; the host looks only between calls.
AutoGraph is off: its first use would import Keras 3, scikit-learn and SciPy, which takes seconds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from trainingrun.api import Augmentation, Optimizer, OptimizerName, number
from trainingrun_trainer.data.augment import augment
from trainingrun_trainer.data.dataset import Dataset
from trainingrun_trainer.data.shard import Shard
from trainingrun_trainer.models.networks import penalty
from trainingrun_trainer.parallel.gang import Gang

Tensor = Any
Network = Any


@dataclass(frozen=True)
class Samples:
    """A data set as tensors; the inputs stay bytes until a batch is taken."""

    inputs: Tensor
    labels: Tensor
    scale: float

    @classmethod
    def of(cls, data: Dataset) -> "Samples":
        """Hold the data set in memory."""
        return cls(tf.constant(data.inputs), tf.constant(data.labels.astype(np.int32)), data.scale)

    def batch(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs as floats, and labels, at these positions."""
        inputs = tf.cast(tf.gather(self.inputs, positions), tf.float32) * self.scale
        return inputs, tf.gather(self.labels, positions)


@dataclass(frozen=True)
class EpochPlan:
    """One rank's steps of one epoch as tensors."""

    positions: Tensor
    weights: Tensor
    total: Tensor
    learning_rates: Tensor
    epoch: Tensor

    @classmethod
    def of(cls, shard: Shard, *, epoch: int, learning_rates: "np.ndarray[Any, Any]") -> "EpochPlan":
        """Convert a shard and its learning rates."""
        return cls(
            tf.constant(shard.positions),
            tf.constant(shard.weights),
            tf.constant(shard.total),
            tf.constant(learning_rates),
            tf.constant(epoch, tf.int32),
        )


def make_optimizer(settings: Optimizer) -> Any:
    """The tf_keras optimizer; its learning rate is set before every step."""
    if settings.name is OptimizerName.SGD:
        return tf_keras.optimizers.SGD(learning_rate=0.0, momentum=number(settings.momentum))
    return tf_keras.optimizers.Adam(learning_rate=0.0)


def training_steps(
    network: Network,
    optimizer: Any,
    gang: Gang,
    samples: Samples,
    *,
    augmentation: Augmentation | None,
    l2: float,
    seed: int,
) -> Callable[[EpochPlan, int, int], Tensor]:
    """A function (plan, first step, end) that trains and returns this rank's sums: loss, correct answers, samples.

    The gradient of a step is the mean over the samples of all ranks: each rank's sum of losses is divided by the global
    number of samples, and the results are added up. The penalty on large weights counts once, not once per rank.
    """

    def one_step(plan: EpochPlan, step: Tensor, sums: Tensor) -> Tensor:
        weights = plan.weights[step]
        inputs, labels = samples.batch(plan.positions[step])
        if augmentation is not None and inputs.shape.rank == 4:
            mixed = tf.stack([seed * 1009 + gang.rank, plan.epoch * 1_000_003 + step])
            inputs = augment(inputs, augmentation, seed=mixed)
        with tf.GradientTape() as tape:
            logits = network(inputs, training=True)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
            loss = tf.reduce_sum(losses * weights)
            objective = loss / plan.total[step] + penalty(network, l2=l2) / gang.size
        gradients = gang.sum_gradients(tape.gradient(objective, network.trainable_variables))
        optimizer.learning_rate.assign(plan.learning_rates[step])
        optimizer.apply_gradients(zip(gradients, network.trainable_variables, strict=True))
        return sums + tf.stack([loss, _correct(logits, labels, weights), tf.reduce_sum(weights)])

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]  # TensorFlow ships no types
    def run(
        positions: Tensor, weights: Tensor, total: Tensor, rates: Tensor, epoch: Tensor, first: Tensor, end: Tensor
    ) -> Tensor:
        plan = EpochPlan(positions, weights, total, rates, epoch)
        _, sums = tf.while_loop(
            lambda step, _: step < end,
            lambda step, sums: (step + 1, one_step(plan, step, sums)),
            (first, tf.zeros([3])),
            parallel_iterations=1,
        )
        return sums

    return lambda plan, first, end: run(
        plan.positions, plan.weights, plan.total, plan.learning_rates, plan.epoch, tf.constant(first), tf.constant(end)
    )


def evaluation_steps(network: Network, samples: Samples, *, part: Shard) -> Callable[[int, int], Tensor]:
    """A function (first step, end) that returns this rank's sums over its part: loss, correct answers, samples."""
    positions, weights = tf.constant(part.positions), tf.constant(part.weights)

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]  # TensorFlow ships no types
    def run(positions: Tensor, weights: Tensor, first: Tensor, end: Tensor) -> Tensor:
        def one_step(step: Tensor, sums: Tensor) -> tuple[Tensor, Tensor]:
            inputs, labels = samples.batch(positions[step])
            logits = network(inputs, training=False)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
            used = weights[step]
            counted = [tf.reduce_sum(losses * used), _correct(logits, labels, used), tf.reduce_sum(used)]
            return step + 1, sums + tf.stack(counted)

        _, sums = tf.while_loop(lambda step, _: step < end, one_step, (first, tf.zeros([3])))
        return sums

    return lambda first, end: run(positions, weights, tf.constant(first), tf.constant(end))


def _correct(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    hits = tf.equal(tf.argmax(logits, axis=1, output_type=tf.int32), labels)
    return tf.reduce_sum(tf.cast(hits, tf.float32) * weights)
