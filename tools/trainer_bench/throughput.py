"""Images per second of one process, side by side: `python -m tools.trainer_bench.throughput mlp`. Prints rows as JSON."""

import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import numpy as np
import tensorflow as tf
import tf_keras
from tf_keras.src.preprocessing.image import ImageDataGenerator

from tools import measurements
from tools.trainer_bench.networks import AUGMENTATION, BATCH, Subject, context
from trainingrun_trainer.parallel.single import SingleProcess
from trainingrun_trainer.stages.calls import CallLength, in_calls
from trainingrun_trainer.stages.optimizers import Optimizer
from trainingrun_trainer.stages.plan import epoch_plan
from trainingrun_trainer.stages.step import training_steps

ROUNDS = 7
Epoch = Callable[[], None]
"""Trains on all samples once."""


def main(name: str) -> int:
    """Alternate between the variants, so that what else the machine does meets all of them."""
    tf_keras.backend.experimental.enable_tf_random_generator()
    subject = Subject.of(name)
    variants = {
        "common recipe (ImageDataGenerator, fit)": recipe(subject),
        "stacked tf_keras layers, fit": stacked(subject),
        "ours": ours(subject, augmentation=AUGMENTATION),
        "ours, no augmentation": ours(subject),
        "limit: a constant batch": constant(subject),
    }
    speeds: dict[str, list[float]] = {variant: [] for variant in variants}
    for round_number in range(ROUNDS + 1):
        for variant, epoch in variants.items():
            started = time.perf_counter()
            epoch()
            if round_number > 0:  # the first one traces and warms up
                speeds[variant].append(len(subject.samples) / (time.perf_counter() - started))
    rows = [measurements.row(f"{name}: {variant}", "images/s", values, digits=0) for variant, values in speeds.items()]
    print(json.dumps(rows))
    return 0


def compiled(network: Any) -> Any:
    """As every tutorial does it."""
    loss = tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(optimizer=tf_keras.optimizers.Adam(0.001), loss=loss, metrics=["accuracy"])
    return network


def recipe(subject: Subject) -> Epoch:
    """What people copy. `shear_range` is in degrees there too."""
    generator = ImageDataGenerator(
        rotation_range=20,
        width_shift_range=0.2,
        height_shift_range=0.2,
        shear_range=11,
        zoom_range=0.2,
        horizontal_flip=True,
        fill_mode="nearest",
    )
    flow = generator.flow(*subject.as_floats(), batch_size=BATCH)
    return partial(compiled(subject.network()).fit, flow, epochs=1, verbose=0)


def stacked(subject: Subject) -> Epoch:
    """Layers of tf_keras in front of the network; there is none for shear."""
    layers = tf_keras.layers
    network = tf_keras.Sequential(
        [
            layers.RandomFlip("horizontal"),
            layers.RandomTranslation(0.2, 0.2, fill_mode="nearest"),
            layers.RandomRotation(20 / 360, fill_mode="nearest"),
            layers.RandomZoom(0.2, 0.2, fill_mode="nearest"),
            subject.network(),
        ]
    )
    return partial(compiled(network).fit, *subject.as_floats(), batch_size=BATCH, epochs=1, verbose=0)


def ours(subject: Subject, **spec: Any) -> Epoch:
    """Epochs as the trainer takes them, calls and all, without validation and checkpoints."""
    surroundings = context(subject.name, SingleProcess(), **spec)
    network, feed, length = subject.network(), subject.feed, CallLength()
    optimizer = Optimizer(surroundings.config.training.optimizer, network.trainable_variables)
    run = training_steps(surroundings, network, optimizer, feed)
    epochs = iter(range(10**6))

    def epoch() -> None:
        plan = epoch_plan(surroundings, feed, epoch=next(epochs) % 100)
        for _ in in_calls(surroundings, partial(run, plan), feed, plan.shard, first=0, length=length):
            pass

    return epoch


def constant(subject: Subject) -> Epoch:
    """The steps of an epoch on one batch of floats: what is left when nothing has to be fetched."""
    network = subject.network()
    weights = network.trainable_variables
    optimizer = Optimizer(context(subject.name, SingleProcess()).config.training.optimizer, weights)
    inputs, labels = (tf.constant(array[:BATCH]) for array in subject.as_floats())
    steps = -(-len(subject.samples) // BATCH)

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]  # TensorFlow ships no types
    def run() -> Any:
        def one_step(step: Any, total: Any) -> tuple[Any, Any]:
            with tf.GradientTape() as tape:
                logits = network(inputs, training=True)
                losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
                loss = tf.reduce_mean(losses)
            optimizer.apply(tape.gradient(loss, weights), learning_rate=tf.constant(0.001))
            return step + 1, total + loss

        return tf.while_loop(lambda step, _: step < steps, one_step, (0, 0.0), parallel_iterations=1)[1]

    return lambda: np.asarray(run()).item()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
