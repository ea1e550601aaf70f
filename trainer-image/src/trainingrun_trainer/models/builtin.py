"""MLP and CNN, the networks that come with the trainer.

Every layer has a name, for `skipLayers` and the report, as Keras counts them: conv2d, conv2d_1, dense, dense_1, logits.
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf
import tf_keras

from trainingrun.api import Model, ModelType
from trainingrun_trainer.errors import bad_config
from trainingrun_trainer.models.parameters import NetworkParameters, builtin_parameters

Network = Any


@tf_keras.utils.register_keras_serializable(package="trainingrun")  # type: ignore[untyped-decorator]  # ships no types
def hard_swish(x: Any) -> Any:
    """As MobileNetV3 has it; with a name, by which copies of a network find it."""
    return x * tf.nn.relu6(x + 3.0) / 6.0


_ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "ReLU": tf.nn.relu,
    "ReLU6": tf.nn.relu6,
    "HardSwish": hard_swish,
    "GELU": tf.nn.gelu,
}


def build_builtin(model: Model, *, shape: tuple[int, ...], classes: int) -> Network:
    """Build the network of `spec.model.builtin`; it returns logits.

    Raises TrainerError (bad config) when the network cannot take such samples.
    """
    assert model.builtin is not None, "the caller has looked"
    parameters = builtin_parameters(model)
    layers = _mlp(parameters) if model.builtin.type is ModelType.MLP else _cnn(parameters, shape=shape)
    # In bfloat16 logits between 8 and 16 would move in steps of a sixteenth.
    logits = tf_keras.layers.Dense(classes, name="logits", dtype="float32")
    return tf_keras.Sequential([tf_keras.Input(shape, name="samples"), *layers, logits], name=model.builtin.type.lower())


def _mlp(parameters: NetworkParameters) -> list[Any]:
    """Flatten, then dense layers."""
    return [tf_keras.layers.Flatten(name="flatten"), *_dense(parameters)]


def _cnn(parameters: NetworkParameters, *, shape: tuple[int, ...]) -> list[Any]:
    """Blocks of convolution and pooling, each halving the image, then dense layers."""
    if len(shape) != 3:
        raise bad_config(
            f"spec.model.builtin.type CNN needs images, but the samples have the shape {list(shape)}: use MLP, or images of "
            "[height, width] or [height, width, channels]."
        )
    smallest = 2 ** len(parameters.filters)
    if min(shape[:2]) < smallest:
        raise bad_config(
            f"spec.model.parameters filters has {len(parameters.filters)} entries, each halving the image, so images must be "
            f"at least {smallest} x {smallest}; these are {shape[0]} x {shape[1]}. Take fewer filters."
        )
    activation = _ACTIVATIONS[parameters.activation]
    blocks: list[Any] = []
    for number, count in enumerate(parameters.filters):
        name = _numbered("conv2d", number)
        convolution = tf_keras.layers.Conv2D(count, parameters.kernel_size, padding="same", activation=activation, name=name)
        blocks += [convolution, tf_keras.layers.MaxPool2D(name=_numbered("max_pooling2d", number))]
    return [*blocks, tf_keras.layers.Flatten(name="flatten"), *_dense(parameters)]


def _dense(parameters: NetworkParameters) -> list[Any]:
    activation = _ACTIVATIONS[parameters.activation]
    layers: list[Any] = []
    for number, units in enumerate(parameters.hidden_units):
        layers.append(tf_keras.layers.Dense(units, activation=activation, name=_numbered("dense", number)))
        if parameters.dropout > 0:
            layers.append(tf_keras.layers.Dropout(parameters.dropout, name=_numbered("dropout", number)))
    return layers


def _numbered(kind: str, number: int) -> str:
    return f"{kind}_{number}" if number else kind
