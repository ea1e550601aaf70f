"""Small networks of tf_keras.applications, with a classifier of our own.

They are built flat: no network is a layer of another, so that all layers can be pruned and made aware of quantization.
"""

from typing import Any

import numpy as np
import tf_keras

from trainingrun.api import ApplicationName, Model
from trainingrun_trainer.errors import bad_config
from trainingrun_trainer.models.parameters import ApplicationParameters, application_parameters
from trainingrun_trainer.models.start_weights import load_weights
from trainingrun_trainer.storage import Folder

Network = Any
Tensor = Any

SMALLEST = 32
"""Pixels per side that all of them need."""

_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of the colours of ImageNet."""

RANGE = "expected_range"
"""Name of the layer that gives the network's own first layer its values."""

_BRINGS_ITS_OWN = (ApplicationName.EFFICIENT_NET_B0, ApplicationName.EFFICIENT_NET_V2_B0)
"""Networks that begin with layers which normalise values from 0 to 255."""


def build_application(model: Model, *, shape: tuple[int, ...], classes: int, data: Folder | None) -> Network:
    """Build the network of `spec.model.application`; it takes values from 0 to 1 and returns logits.

    Its weights are random, or those of a file in the data source, but for the classifier's.
    Raises TrainerError (bad config) when the network cannot take such images or the file does not fit.
    """
    application = model.application
    assert application is not None, "the caller has looked"
    parameters = application_parameters(model)
    _check_shape(shape, name=application.name, input_size=parameters.input_size)
    inputs = images = tf_keras.Input(shape, name="samples")
    if parameters.input_size is not None:
        images = tf_keras.layers.Resizing(parameters.input_size, parameters.input_size, name="resized")(images)
    if shape[2] == 1:
        images = tf_keras.layers.Concatenate(name="colours")([images] * 3)
    expected_range = _expected_range(application.name)
    base = _base(application.name, parameters, images=expected_range(images))
    if application.weights_file is not None:
        load_weights(base, data, application.weights_file, of=application.name)
        _take_over_statistics(base, expected_range)
    features = tf_keras.layers.Dropout(parameters.dropout, name="dropout")(base.output)
    # In bfloat16 logits between 8 and 16 would move in steps of a sixteenth.
    logits = tf_keras.layers.Dense(classes, name="logits", dtype="float32")(features)
    return tf_keras.Model(inputs, logits, name=application.name)


def _check_shape(shape: tuple[int, ...], *, name: str, input_size: int | None) -> None:
    if len(shape) != 3 or shape[2] not in (1, 3):
        raise bad_config(
            f"spec.model.application.name {name} needs images with one or three channels, but the samples have the shape "
            f"{list(shape)}: use spec.model.builtin or spec.model.entrypoint for other samples."
        )
    if input_size is None and min(shape[:2]) < SMALLEST:
        raise bad_config(
            f"spec.model.application.name {name} needs images of at least {SMALLEST} x {SMALLEST}; these are {shape[0]} x "
            f'{shape[1]}. Set the parameter inputSize in spec.model.parameters, for example to "{SMALLEST}", to have them '
            "resized, or use spec.model.builtin.type CNN."
        )


def _expected_range(name: ApplicationName) -> Any:
    """The layer that brings values from 0 to 1 to the range that the network has been designed for."""
    if name in _BRINGS_ITS_OWN:
        return tf_keras.layers.Rescaling(255.0, name=RANGE)
    if name is ApplicationName.DENSE_NET_121:
        offset = [-mean / deviation for mean, deviation in zip(_MEAN, _DEVIATION, strict=True)]
        return tf_keras.layers.Rescaling([1 / deviation for deviation in _DEVIATION], offset=offset, name=RANGE)
    return tf_keras.layers.Rescaling(2.0, offset=-1.0, name=RANGE)


def _base(name: ApplicationName, parameters: ApplicationParameters, *, images: Tensor) -> Network:
    """The network from our inputs to one vector of features per image."""
    options: dict[str, Any] = {}
    if name.startswith("MobileNet"):
        options["alpha"] = parameters.alpha
    if name.startswith("MobileNetV3"):
        options |= {"minimalistic": parameters.minimalistic, "include_preprocessing": False}
    make = getattr(tf_keras.applications, name)
    base = make(weights=None, include_top=False, input_tensor=images, pooling=parameters.pooling, **options)
    for layer in base.layers:
        if isinstance(layer, tf_keras.layers.BatchNormalization):
            layer.momentum = parameters.normalization_momentum
    return base


def _take_over_statistics(base: Network, expected_range: Any) -> None:
    """Let our own first layer normalise as EfficientNetB0 does with the mean and the variance of the file.

    With published weights tf_keras divides by the roots of ImageNet's deviations once more, since the file has deviations where
    a Normalization expects variances: see https://github.com/tensorflow/tensorflow/issues/49930. A file of a network that began
    with random weights has a mean of 0 and a variance of 1, and is taken as it is. The values go into the configuration of our
    layer, and the network's keeps 0 and 1: copies of a network, as tfmot makes them, lose what it has been given as weights.
    """
    for layer in base.layers:
        if isinstance(layer, tf_keras.layers.Normalization) and layer.weights:
            mean, variance, count = layer.get_weights()
            layer.set_weights([np.zeros_like(mean), np.ones_like(variance), count])
            published = np.any(mean != 0) or np.any(variance != 1)
            deviation = np.sqrt(variance) * np.sqrt(_DEVIATION) if published else np.ones_like(mean)
            # The network divides by 255 what we have multiplied.
            expected_range.scale = (255 / deviation).tolist()
            expected_range.offset = (-255 * mean / deviation).tolist()
