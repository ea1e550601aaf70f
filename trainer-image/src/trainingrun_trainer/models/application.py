"""Small networks of tf_keras.applications, with a classifier of our own."""

from typing import Any

import tf_keras

from trainingrun.api import ApplicationName, Model
from trainingrun_trainer.errors import bad_config
from trainingrun_trainer.models.parameters import ApplicationParameters, application_parameters
from trainingrun_trainer.models.start_weights import load_weights
from trainingrun_trainer.storage import Folder

Network = Any

SMALLEST = 32
"""Pixels per side that all of them need."""

_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of the colours of ImageNet."""

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
    inputs = images = tf_keras.Input(shape)
    if parameters.input_size is not None:
        images = tf_keras.layers.Resizing(parameters.input_size, parameters.input_size)(images)
    if shape[2] == 1:
        images = tf_keras.layers.Concatenate(name="colours")([images] * 3)
    images = _expected_range(application.name)(images)
    base = _base(application.name, parameters, shape=tuple(images.shape[1:]))
    if application.weights_file is not None:
        load_weights(base, data, application.weights_file)
    features = tf_keras.layers.Dropout(parameters.dropout)(base(images))
    return tf_keras.Model(inputs, tf_keras.layers.Dense(classes, name="logits")(features))


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
        return tf_keras.layers.Rescaling(255.0)
    if name is ApplicationName.DENSE_NET_121:
        offset = [-mean / deviation for mean, deviation in zip(_MEAN, _DEVIATION, strict=True)]
        return tf_keras.layers.Rescaling([1 / deviation for deviation in _DEVIATION], offset=offset)
    return tf_keras.layers.Rescaling(2.0, offset=-1.0)


def _base(name: ApplicationName, parameters: ApplicationParameters, *, shape: tuple[int, ...]) -> Network:
    """The network without its classifier; it returns one vector of features per image."""
    options: dict[str, Any] = {}
    if name.startswith("MobileNet"):
        options["alpha"] = parameters.alpha
    if name.startswith("MobileNetV3"):
        options |= {"minimalistic": parameters.minimalistic, "include_preprocessing": False}
    make = getattr(tf_keras.applications, name)
    base = make(weights=None, include_top=False, input_shape=shape, pooling=parameters.pooling, **options)
    for layer in base.layers:
        if isinstance(layer, tf_keras.layers.BatchNormalization):
            layer.momentum = parameters.normalization_momentum
    return base
