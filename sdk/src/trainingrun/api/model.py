"""`spec.model`: the network that is trained."""

import re
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, FieldSerializationInfo, PlainSerializer, WithJsonSchema, model_validator

from trainingrun.api.base import Frozen, ObjectName, Rule, is_manifest, rule, rules
from trainingrun.api.values import SIZES, UNTYPED, MistakeError, own_text_of, text_of, value_of

_SEGMENT = "[A-Za-z0-9_=+@-][A-Za-z0-9._=+@-]*"
_NAME = "[A-Za-z_][A-Za-z0-9_]*"
PARAMETER_PATTERN = r"^[A-Za-z][A-Za-z0-9_]*$"
LONGEST_NAME = 63
LONGEST_VALUE = 255


class ModelType(StrEnum):
    """Small networks that come with the trainer."""

    MLP = "MLP"
    CNN = "CNN"


class BuiltinModel(Frozen):
    """A network that comes with the trainer.

    MLP: flatten, then dense layers (`hiddenUnits`), then softmax.
    CNN: blocks of convolution and max pooling (`filters`), then one dense layer (`hiddenUnits`), then softmax.
    """

    type: Annotated[ModelType, Field(description="MLP (dense layers) or CNN (convolutions, then a dense layer).")]


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

    name: Annotated[
        ApplicationName, Field(description="Name of the network in tf_keras.applications, for example MobileNetV2.")
    ]
    weights_file: Annotated[
        str | None,
        Field(
            pattern=rf"^{_SEGMENT}(/{_SEGMENT})*\.h5$",
            max_length=255,
            description="Start weights, for example weights/mobilenet.h5: an HDF5 file in the data source, as tf_keras' "
            "save_weights writes it and as Keras "
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
    """A named parameter of the network, its value as text: see `trainingrun.api.values`."""

    name: Annotated[str, Field(pattern=PARAMETER_PATTERN, max_length=LONGEST_NAME)]
    value: Annotated[str, Field(max_length=LONGEST_VALUE)]


BUILTIN_PARAMETERS = ("activation", "dropout", "hiddenUnits", "filters", "kernelSize")
CNN_PARAMETERS = ("filters", "kernelSize")
"""Those of a built-in network that only a CNN has."""
APPLICATION_PARAMETERS = ("alpha", "dropout", "inputSize", "minimalistic", "normalizationMomentum", "pooling")

MOST_PARAMETERS = 32
_KINDS = ("builtin", "application", "entrypoint")


def _sizes(description: str) -> dict[str, Any]:
    sizes = {"type": "integer", "minimum": 1, "maximum": 9999}
    return {"type": "array", "minItems": 1, "maxItems": 8, "items": sizes, "description": description}


def _of_type(kind: str, description: str) -> dict[str, Any]:
    return {"type": kind, "description": description}


_KNOWN: dict[str, dict[str, Any]] = {
    "activation": _of_type(
        "string", "Of a built-in network's layers, for example GELU: ReLU, ReLU6, HardSwish or GELU. Default: ReLU."
    )
    | {"maxLength": 255},
    "dropout": _of_type(
        "number",
        "Of a built-in network's dense layers, or before an application's classifier, 0 to below 1, "
        "for example 0.2. Default: 0.",
    ),
    "hiddenUnits": _sizes("Sizes of a built-in network's dense layers, for example [256, 128]. Default: [128], of a CNN [64]."),
    "filters": _sizes("Of each convolution of a built-in CNN, for example [16, 32, 64], which is the default."),
    "kernelSize": _of_type("integer", "Of a built-in CNN's convolutions, odd, 1 to 11. Default: 3."),
    "alpha": _of_type("number", "Factor on the number of a MobileNet's filters, 0.1 to below 3, for example 0.35. Default: 1."),
    "inputSize": _of_type(
        "integer", "Height and width that images are resized to for an application, 32 to 512, for example 96."
    ),
    "minimalistic": _of_type("boolean", "Of MobileNetV3: without squeeze-and-excite and hard swish. Default: false."),
    "normalizationMomentum": _of_type(
        "number",
        "How slowly the statistics of an application's batch normalisation follow, 0 to "
        "below 1, for example 0.99. Default: 0.9.",
    ),
    "pooling": _of_type("string", "Before an application's classifier, for example Max: Average or Max. Default: Average.")
    | {"maxLength": 255},
}
"""What the API server knows of parameters; those of a user's function are others, or of the same types."""


def _told(parameters: tuple[Parameter, ...], info: FieldSerializationInfo) -> Any:
    """The parameters as a map in a manifest, and as a list in the contract."""
    if is_manifest(info):
        return {parameter.name: _value(parameter) for parameter in parameters}
    return [{"name": parameter.name, "value": parameter.value} for parameter in parameters]


def _value(parameter: Parameter) -> Any:
    value = value_of(parameter.value)
    return [value] if parameter.name in SIZES and not isinstance(value, list) else value


def _rule(name: str, condition: str, message: str, *, of: str = "") -> Rule:
    """A rule that a parameter of one kind of model, or of all kinds but a user's own, must meet.

    It stands on the model because some depend on its type.
    """
    others = f"!has(self.{of})" if of else "has(self.entrypoint)"
    given = f"!has(self.parameters) || !has(self.parameters.{name})"
    return rule(
        f"{others} || {given} || {condition.format(it=f'self.parameters.{name}')}",
        message,
        field_path=f".parameters.{name}",
    )


def _only_of(name: str, condition: str, whose: str, way_out: str) -> Rule:
    """A rule that a parameter is not given to a network that does not have it. A user's function may have any."""
    given = f"!has(self.parameters) || !has(self.parameters.{name})"
    return rule(
        f"has(self.entrypoint) || {given} || {condition}",
        f"model.parameters.{name} is for {whose}: remove it{way_out}.",
        field_path=f".parameters.{name}",
    )


_A_CNN = "(has(self.builtin) && self.builtin.type == 'CNN')"
_A_MOBILE_NET = "(has(self.application) && self.application.name.startsWith('MobileNet'))"
_A_MOBILE_NET_V3 = "(has(self.application) && self.application.name.startsWith('MobileNetV3'))"
_BETWEEN = "0.0 <= {it} && {it} < 1.0"


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
        PlainSerializer(_told, when_used="json"),
        WithJsonSchema(
            {"type": "object", "maxProperties": MOST_PARAMETERS, "properties": _KNOWN, **UNTYPED}, mode="validation"
        ),
        WithJsonSchema(
            {"type": "array", "maxItems": MOST_PARAMETERS, "items": Parameter.model_json_schema()}, mode="serialization"
        ),
        Field(
            max_length=MOST_PARAMETERS,
            description="Parameters of the network, for example {hiddenUnits: [256, 128], dropout: 0.2}. Built-in networks and "
            "applications have those below. A function of yours gets any: numbers, true and false, text, lists; those whose "
            "names are below have the types that are said there.",
        ),
    ] = ()

    model_config = rules(
        rule(
            f"[{', '.join(f'has(self.{kind})' for kind in _KINDS)}].filter(x, x).size() == 1",
            "model needs exactly one of builtin, application and entrypoint: keep one and remove the others.",
        ),
        *(_only_of(name, "has(self.builtin)", "built-in networks", "") for name in ("activation", "hiddenUnits")),
        *(_only_of(name, _A_CNN, "model.builtin.type CNN", " or change the type") for name in CNN_PARAMETERS),
        *(
            _only_of(name, "has(self.application)", "applications", "")
            for name in ("inputSize", "normalizationMomentum", "pooling")
        ),
        _only_of("alpha", _A_MOBILE_NET, "the MobileNets", " or change model.application.name"),
        _only_of("minimalistic", _A_MOBILE_NET_V3, "MobileNetV3", " or change model.application.name"),
        _rule(
            "activation",
            "{it} in ['ReLU', 'ReLU6', 'HardSwish', 'GELU']",
            "model.parameters.activation must be ReLU, ReLU6, HardSwish or GELU.",
        ),
        _rule("dropout", _BETWEEN, "model.parameters.dropout must be from 0 to below 1, for example 0.2."),
        _rule("kernelSize", "{it} in [1, 3, 5, 7, 9, 11]", "model.parameters.kernelSize must be an odd number from 1 to 11."),
        _rule("alpha", "0.1 <= {it} && {it} < 3.0", "model.parameters.alpha must be from 0.1 to below 3, for example 0.35."),
        _rule("inputSize", "32 <= {it} && {it} <= 512", "model.parameters.inputSize must be from 32 to 512, for example 96."),
        _rule(
            "normalizationMomentum",
            _BETWEEN,
            "model.parameters.normalizationMomentum must be from 0 to below 1, for example 0.99.",
        ),
        _rule("pooling", "{it} in ['Average', 'Max']", "model.parameters.pooling must be Average or Max."),
    )

    @model_validator(mode="before")
    @classmethod
    def _parameters_as_text(cls, said: Any) -> Any:
        """Take a map of parameters, as a manifest has it, for the list of texts that the contract has."""
        given = said.get("parameters") if isinstance(said, dict) else None
        if not isinstance(given, dict):
            return said
        is_own = said.get("entrypoint") is not None
        named = {name: own_text_of(value) if is_own else text_of(value, name=name) for name, value in given.items()}
        for name, text in named.items():
            _check(name, text)
        return {**said, "parameters": [{"name": name, "value": text} for name, text in named.items()]}


def _check(name: str, text: str) -> None:
    """Raises MistakeError for what the contract has no room for."""
    if not re.match(PARAMETER_PATTERN, name) or len(name) > LONGEST_NAME:
        raise MistakeError(
            f"spec.model.parameters has {name}, but a name begins with a letter, goes on with letters, digits and _, and has "
            f"at most {LONGEST_NAME} characters, for example hidden_units: rename it."
        )
    if len(text) > LONGEST_VALUE:
        raise MistakeError(
            f"spec.model.parameters {name} is {len(text)} characters long, and at most {LONGEST_VALUE} can be handed to the "
            "trainer: shorten it, or put it into a file of workers.volumes."
        )
