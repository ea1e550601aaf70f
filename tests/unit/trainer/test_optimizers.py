"""The optimizers against tf_keras' own."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from trainingrun.api import Optimizer as Settings
from trainingrun_trainer.stages.optimizers import Optimizer

RATE = 0.01
STEPS = 12


def two_weights() -> list[Any]:
    values = np.random.default_rng(1)
    return [
        tf.Variable(values.normal(size=(3, 2)).astype(np.float32), name="dense/kernel"),
        tf.Variable(values.normal(size=2).astype(np.float32), name="dense/bias"),
    ]


def gradients(step: int) -> list[Any]:
    values = np.random.default_rng(100 + step)
    return [tf.constant(values.normal(size=shape).astype(np.float32)) for shape in ((3, 2), (2,))]


def without_bias(optimizer: Any) -> Any:
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer


@pytest.mark.parametrize(
    ("settings", "keras"),
    [
        ({"name": "Adam"}, lambda: tf_keras.optimizers.Adam(RATE)),
        ({"name": "AdamW"}, lambda: without_bias(tf_keras.optimizers.AdamW(RATE))),
        (
            {"name": "AdamW", "weightDecay": "0.1"},
            lambda: without_bias(tf_keras.optimizers.AdamW(RATE, weight_decay=0.1)),
        ),
        ({"name": "SGD"}, lambda: tf_keras.optimizers.SGD(RATE)),
        ({"name": "SGD", "momentum": "0.9"}, lambda: tf_keras.optimizers.SGD(RATE, momentum=0.9)),
        ({"name": "RMSprop"}, lambda: tf_keras.optimizers.RMSprop(RATE)),
        ({"name": "RMSprop", "momentum": "0.9"}, lambda: tf_keras.optimizers.RMSprop(RATE, momentum=0.9)),
    ],
    ids=lambda value: " ".join(value.values()) if isinstance(value, dict) else "",
)
def test_an_optimizer_moves_the_weights_as_that_of_tf_keras(settings: dict[str, str], keras: Any) -> None:
    ours, theirs = two_weights(), two_weights()
    optimizer, reference = Optimizer(Settings.model_validate(settings), ours), keras()
    reference.build(theirs)
    for step in range(STEPS):
        optimizer.apply(gradients(step), learning_rate=tf.constant(RATE))
        reference.apply_gradients(zip(gradients(step), theirs, strict=True))
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=2e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["Adam", "SGD", "RMSprop"])
def test_an_optimizer_goes_on_from_its_variables(name: str) -> None:
    settings = Settings.model_validate({"name": name, "momentum": "0" if name == "Adam" else "0.9"})
    whole, cut = two_weights(), two_weights()
    undisturbed, first = Optimizer(settings, whole), Optimizer(settings, cut)
    for step in range(STEPS):
        undisturbed.apply(gradients(step), learning_rate=tf.constant(RATE))
    for step in range(5):
        first.apply(gradients(step), learning_rate=tf.constant(RATE))
    second = Optimizer(settings, cut)
    for variable, saved in zip(second.variables, first.variables, strict=True):
        variable.assign(saved)
    for step in range(5, STEPS):
        second.apply(gradients(step), learning_rate=tf.constant(RATE))
    for one, other in zip(whole, cut, strict=True):
        assert (one.numpy() == other.numpy()).all()
