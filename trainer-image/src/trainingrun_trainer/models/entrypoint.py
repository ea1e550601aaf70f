"""The user's own network: what his function returns, once it is known to be one that can be trained.

A network that cannot be used is found out here, before any training, and never tried again.
"""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from trainingrun.api import Model
from trainingrun_trainer.errors import TrainerError, bad_config
from trainingrun_trainer.models import usercode
from trainingrun_trainer.models.parameters import entrypoint_parameters
from trainingrun_trainer.models.usercode import FIELD, UserFunction

Network = Any


def build_entrypoint(model: Model, *, shape: tuple[int, ...], classes: int, code: Path) -> Network:
    """Build the network of `spec.model.entrypoint`; it returns logits. `code` is where its ConfigMap is mounted.

    Raises TrainerError (bad config) naming what is wrong with the function or with what it returns.
    """
    assert model.entrypoint is not None, "the caller has looked"
    function = usercode.find(model.entrypoint, code=code)
    network = usercode.call(function, input_shape=shape, classes=classes, parameters=entrypoint_parameters(model))
    _check_kind(function, network)
    _check_input(function, network, shape=shape)
    _check_output(function, network, shape=shape, classes=classes)
    _check_graph(function, network, shape=shape)
    if not network.trainable_variables:
        raise _returned(function, "a network without weights that can be trained: leave some layers trainable")
    return network


def _check_kind(function: UserFunction, network: Any) -> None:
    if network is None:
        raise _returned(function, "None: it must return the network, so see that it ends with return")
    if isinstance(network, tf_keras.Model):
        if getattr(network, "optimizer", None) is not None:
            raise _returned(
                function, "a network that is compiled: remove compile(); the optimizer is that of spec.training.optimizer"
            )
        return
    if any(kind.__module__.partition(".")[0] == "keras" for kind in type(network).__mro__):
        raise _returned(function, "a network of Keras 3, which Horovod cannot train: import tf_keras instead of keras")
    kind = f"{type(network).__module__}.{type(network).__qualname__}"
    raise _returned(function, f"an object of the type {kind}: it must be a tf_keras.Model")


def _check_input(function: UserFunction, network: Network, *, shape: tuple[int, ...]) -> None:
    """Compare the inputs of a network that names them; others show themselves when they are called."""
    inputs = network.inputs or ()
    if len(inputs) > 1:
        raise _returned(function, f"a network with {len(inputs)} inputs: it must have one")
    for expected in inputs:
        sizes = tuple(expected.shape[1:])
        if len(sizes) != len(shape) or any(size not in (None, given) for size, given in zip(sizes, shape, strict=True)):
            raise _returned(
                function,
                f"a network for inputs of the shape {list(sizes)}, but the samples have {list(shape)}: use the first argument, "
                "input_shape",
            )


def _check_output(function: UserFunction, network: Network, *, shape: tuple[int, ...], classes: int) -> None:
    """Call the network with two samples, which also makes the weights of one that has had none."""
    samples = np.random.default_rng(0).random((2, *shape)).astype(np.float32)
    try:
        outputs = network(samples, training=False)
    except (Exception, SystemExit) as problem:  # layers may be the user's
        raise usercode.raised(
            function, problem, what=f": its network, called with samples of the shape {list(shape)},"
        ) from problem
    found = getattr(outputs, "shape", None)
    if found is None:
        raise _returned(function, f"a network with outputs of the type {type(outputs).__name__}: it must give one tensor")
    if tuple(found) != (2, classes):
        raise _returned(
            function,
            f"a network whose outputs for one sample have the shape {list(found[1:])}, but the data has {classes} classes, so "
            f"that [{classes}] is expected: use the second argument, classes",
        )
    values = np.asarray(outputs, np.float64)
    if values.min() >= 0 and np.allclose(values.sum(axis=1), 1, atol=1e-2):
        raise _returned(
            function,
            f"a network that ends with softmax ({network.layers[-1].name}): it must give logits, so remove the softmax. The "
            "exported model gives probabilities",
        )


def _check_graph(function: UserFunction, network: Network, *, shape: tuple[int, ...]) -> None:
    """Trace the network as training does: without AutoGraph, for any number of samples."""
    samples = tf.TensorSpec([None, *shape], tf.float32)
    try:
        tf.function(lambda batch: network(batch, training=True), autograph=False).get_concrete_function(samples)
    except Exception as problem:  # layers may be the user's
        raise usercode.raised(
            function, problem, what=": its network, traced into a graph for training (layers must use tf.cond, not if),"
        ) from problem


def _returned(function: UserFunction, what: str) -> TrainerError:
    return bad_config(f"{FIELD}.function {function.name} returned {what}.")
