"""`spec.model`: the network that is trained."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from trainingrun.api.base import Frozen, ObjectName, Rule, rule, rules

_SEGMENT = "[A-Za-z0-9_=+@-][A-Za-z0-9._=+@-]*"
_NAME = "[A-Za-z_][A-Za-z0-9_]*"


class ModelType(StrEnum):
    """Small networks that come with the trainer."""

    MLP = "MLP"
    CNN = "CNN"


class BuiltinModel(Frozen):
    """A network that comes with the trainer.

    MLP: flatten, then dense layers (`hiddenUnits`), then softmax.
    CNN: blocks of convolution and max pooling (`filters`), then one dense layer (`hiddenUnits`), then softmax.
    """

    type: Annotated[ModelType, Field(description="MLP or CNN.")]


class ApplicationName(StrEnum):
    """The small networks of tf_keras.applications."""

    MOBILE_NET = "MobileNet"
    MOBILE_NET_V2 = "MobileNetV2"
    MOBILE_NET_V3_SMALL = "MobileNetV3Small"
    MOBILE_NET_V3_LARGE = "MobileNetV3Large"
    EFFICIENT_NET_B0 = "EfficientNetB0"
    EFFICIENT_NET_V2_B0 = "EfficientNetV2B0"
    NASNET_MOBILE = "NASNetMobile"
    DENSE_NET_121 = "DenseNet121"


class ApplicationModel(Frozen):
    """A network of tf_keras.applications with a classifier of its own: pooling, dropout, one dense layer.

    Nothing is downloaded: it begins with random weights, or with those of `weightsFile`. It takes images of at least 32 x 32
    with one or three channels, whose values are bytes or lie between 0 and 1, and brings them to the range that the network
    expects; grey images are repeated to three channels.
    """

    name: Annotated[ApplicationName, Field(description="Name of the network in tf_keras.applications.")]
    weights_file: Annotated[
        str | None,
        Field(
            pattern=rf"^{_SEGMENT}(/{_SEGMENT})*\.h5$",
            max_length=255,
            description="Start weights: an HDF5 file in the data source, as tf_keras' save_weights writes it and as Keras "
            "publishes it with or without the top. Layers are found by their names, and a classifier in the file is left "
            "out. Default: random weights.",
        ),
    ] = None


class EntrypointModel(Frozen):
    """A function of the user's that builds the network.

    It is called as function(input_shape, classes, parameters) and returns a tf_keras model, not compiled, that gives one logit
    per class.
    """

    function: Annotated[
        str,
        Field(
            pattern=rf"^{_NAME}(\.{_NAME})*:{_NAME}$",
            max_length=253,
            description="Module and function, for example my_models:build.",
        ),
    ]
    config_map_name: Annotated[
        ObjectName | None,
        Field(
            description="ConfigMap of the run's namespace with the module: one key per file, for example my_models.py. "
            "Default: the module is installed in the image."
        ),
    ] = None

    model_config = rules(
        # CEL reserves the word function: a field of that name is written with underscores.
        rule(
            f"!has(self.configMapName) || self.__function__.matches('^{_NAME}:')",
            "'model.entrypoint.function ' + self.__function__ + ' names a module of a package, but a ConfigMap holds files and "
            "no folders: name a module without a point, or install the package in the image and remove configMapName.'",
            field_path=".function",
            computed=True,
        )
    )


class Parameter(Frozen):
    """A named parameter of the network; values are strings."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=63, description="Name.")]
    value: Annotated[str, Field(max_length=255, description="Value, written as a string.")]


BUILTIN_PARAMETERS = ("activation", "dropout", "hiddenUnits", "filters", "kernelSize")
CNN_PARAMETERS = ("filters", "kernelSize")
"""Those of a built-in network that only a CNN has."""
APPLICATION_PARAMETERS = ("alpha", "dropout", "inputSize", "minimalistic", "normalizationMomentum", "pooling")

_INTEGERS = r"^[1-9][0-9]{0,3}(,[1-9][0-9]{0,3}){0,7}$"
_KINDS = ("builtin", "application", "entrypoint")


def _each(condition: str, message: str, *, of: str = "") -> Rule:
    """A rule that every parameter `p` of one kind of model, or of all, must meet.

    It stands on the model because some depend on its type.
    """
    others = f"!has(self.{of}) || " if of else ""
    return rule(f"{others}!has(self.parameters) || self.parameters.all(p, {condition})", message, field_path=".parameters")


class Model(Frozen):
    """The network and its parameters: exactly one of `builtin`, `application` and `entrypoint`."""

    builtin: Annotated[BuiltinModel | None, Field(description="A network that comes with the trainer.")] = None
    application: Annotated[
        ApplicationModel | None, Field(description="A small network of tf_keras.applications, by its name.")
    ] = None
    entrypoint: Annotated[
        EntrypointModel | None, Field(description="A function of yours that builds the network, from the image or a ConfigMap.")
    ] = None
    parameters: Annotated[
        tuple[Parameter, ...],
        Field(
            max_length=32,
            description="Parameters of the network. Built-in networks: activation (ReLU, ReLU6, HardSwish, GELU), dropout "
            "(0 to below 1), hiddenUnits (sizes of the dense layers, for example 128 or 256,128), and for CNN filters "
            "(of each convolution, for example 16,32,64) and kernelSize (odd, 1 to 11). Applications: dropout before the "
            "classifier (0), pooling (Average or Max), inputSize (32 to 512: images are resized to this height and width "
            "first), normalizationMomentum (0.9: how slowly the batch normalisation's statistics follow), for MobileNets "
            "alpha (1: factor on the number of filters, 0.1 to below 3) and for MobileNetV3 minimalistic (false). "
            "Entrypoints: any; a value that is JSON is what JSON says, one with commas is a list, others are strings.",
            json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
        ),
    ] = ()

    model_config = rules(
        rule(
            f"[{', '.join(f'has(self.{kind})' for kind in _KINDS)}].filter(x, x).size() == 1",
            "model needs exactly one of builtin, application and entrypoint: keep one and remove the others.",
        ),
        _each(
            f"p.name in {list(BUILTIN_PARAMETERS)}",
            "model.parameters of a built-in network may be named activation, dropout, hiddenUnits, filters and "
            "kernelSize: correct or remove the others.",
            of="builtin",
        ),
        _each(
            f"self.builtin.type == 'CNN' || !(p.name in {list(CNN_PARAMETERS)})",
            "model.parameters filters and kernelSize are for model.builtin.type CNN: remove them or change the type.",
            of="builtin",
        ),
        _each(
            "p.name != 'activation' || p.value in ['ReLU', 'ReLU6', 'HardSwish', 'GELU']",
            "model.parameters activation must be ReLU, ReLU6, HardSwish or GELU.",
            of="builtin",
        ),
        _each(
            f"!(p.name in ['hiddenUnits', 'filters']) || p.value.matches('{_INTEGERS}')",
            "model.parameters hiddenUnits and filters must be one to eight positive integers below 10000, separated by "
            'commas, for example "256,128".',
            of="builtin",
        ),
        _each(
            "p.name != 'kernelSize' || p.value in ['1', '3', '5', '7', '9', '11']",
            "model.parameters kernelSize must be an odd integer from 1 to 11.",
            of="builtin",
        ),
        _each(
            r"has(self.entrypoint) || p.name != 'dropout' || p.value.matches('^0(\\.[0-9]+)?$')",
            'model.parameters dropout must be a decimal from 0 to below 1, for example "0.2".',
        ),
        _each(
            f"p.name in {list(APPLICATION_PARAMETERS)}",
            "model.parameters of an application may be named alpha, dropout, inputSize, minimalistic, "
            "normalizationMomentum and pooling: correct or remove the others.",
            of="application",
        ),
        _each(
            "self.application.name.startsWith('MobileNet') || p.name != 'alpha'",
            "model.parameters alpha is for the MobileNets: remove it or change model.application.name.",
            of="application",
        ),
        _each(
            "self.application.name.startsWith('MobileNetV3') || p.name != 'minimalistic'",
            "model.parameters minimalistic is for MobileNetV3: remove it or change model.application.name.",
            of="application",
        ),
        _each(
            r"p.name != 'alpha' || p.value.matches('^(0\\.[1-9][0-9]*|[12](\\.[0-9]+)?)$')",
            'model.parameters alpha must be a decimal from 0.1 to below 3, for example "0.35".',
            of="application",
        ),
        _each(
            "p.name != 'inputSize' || p.value.matches('^(3[2-9]|[4-9][0-9]|[1-4][0-9][0-9]|50[0-9]|51[0-2])$')",
            'model.parameters inputSize must be an integer from 32 to 512, for example "96".',
            of="application",
        ),
        _each(
            "p.name != 'minimalistic' || p.value in ['true', 'false']",
            "model.parameters minimalistic must be true or false.",
            of="application",
        ),
        _each(
            r"p.name != 'normalizationMomentum' || p.value.matches('^0\\.[0-9]+$')",
            'model.parameters normalizationMomentum must be a decimal from 0.0 to below 1, for example "0.99".',
            of="application",
        ),
        _each(
            "p.name != 'pooling' || p.value in ['Average', 'Max']",
            "model.parameters pooling must be Average or Max.",
            of="application",
        ),
    )
