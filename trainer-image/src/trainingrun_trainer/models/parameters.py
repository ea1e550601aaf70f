"""`spec.model.parameters` as values, for each kind of network. Pure.

The API server checks the same, but an older CRD may not.
"""

from dataclasses import dataclass
from typing import Any

from trainingrun.api import ApplicationName, Model, ModelType
from trainingrun.api.values import value_of
from trainingrun_trainer.errors import bad_config

ACTIVATIONS = ("ReLU", "ReLU6", "HardSwish", "GELU")
POOLINGS = {"Average": "avg", "Max": "max"}
_TRUTH = {"true": True, "false": False}


@dataclass(frozen=True)
class NetworkParameters:
    """Sizes and functions of a built-in network."""

    hidden_units: tuple[int, ...]
    filters: tuple[int, ...] = (16, 32, 64)
    kernel_size: int = 3
    activation: str = "ReLU"
    dropout: float = 0.0


@dataclass(frozen=True)
class ApplicationParameters:
    """What can be chosen about a network of tf_keras.applications."""

    alpha: float
    dropout: float
    input_size: int | None
    """Height and width that images are resized to; None: they stay as they are."""
    minimalistic: bool
    normalization_momentum: float
    pooling: str


def builtin_parameters(model: Model) -> NetworkParameters:
    """Read the parameters of a built-in network; those left out have the defaults of the network.

    Raises TrainerError (bad config) naming the parameter.
    """
    assert model.builtin is not None, "the caller has looked"
    given = _given(model)
    default_units = "128" if model.builtin.type is ModelType.MLP else "64"
    try:
        parameters = NetworkParameters(
            hidden_units=_integers(given.pop("hiddenUnits", default_units)),
            filters=_integers(given.pop("filters", "16,32,64")),
            kernel_size=int(given.pop("kernelSize", "3")),
            activation=given.pop("activation", "ReLU"),
            dropout=float(given.pop("dropout", "0")),
        )
    except ValueError as wrong:
        raise bad_config(f"spec.model.parameters: {wrong}.") from wrong
    _refuse(given, of=model.builtin.type)
    if parameters.activation not in ACTIVATIONS:
        raise bad_config(f"spec.model.parameters: activation {parameters.activation!r} is not one of {', '.join(ACTIVATIONS)}.")
    _check_below_one("dropout", parameters.dropout)
    return parameters


def application_parameters(model: Model) -> ApplicationParameters:
    """Read the parameters of an application; those left out have defaults.

    Raises TrainerError (bad config) naming the parameter.
    """
    assert model.application is not None, "the caller has looked"
    name, given = model.application.name, _given(model)
    size = given.pop("inputSize", None)
    try:
        parameters = ApplicationParameters(
            alpha=float(given.pop("alpha", "1") if name.startswith("MobileNet") else "1"),
            dropout=float(given.pop("dropout", "0")),
            input_size=None if size is None else int(size),
            minimalistic=_TRUTH[given.pop("minimalistic", "false") if name in _MINIMALISTIC else "false"],
            normalization_momentum=float(given.pop("normalizationMomentum", "0.9")),
            pooling=POOLINGS[given.pop("pooling", "Average")],
        )
    except (ValueError, KeyError) as wrong:
        raise bad_config(f"spec.model.parameters: {wrong}.") from wrong
    _refuse(given, of=name)
    _check_below_one("dropout", parameters.dropout)
    _check_below_one("normalizationMomentum", parameters.normalization_momentum)
    return parameters


_MINIMALISTIC = (ApplicationName.MOBILE_NET_V3_SMALL, ApplicationName.MOBILE_NET_V3_LARGE)


def entrypoint_parameters(model: Model) -> dict[str, Any]:
    """Read the parameters of a user's function.

    They are what they are in the manifest: see `trainingrun.api.values`.
    """
    return {name: value_of(text) for name, text in _given(model).items()}


def _given(model: Model) -> dict[str, str]:
    return {parameter.name: parameter.value for parameter in model.parameters}


def _refuse(others: dict[str, str], *, of: str) -> None:
    """Raise for parameters that nothing has read."""
    if others:
        raise bad_config(f"spec.model.parameters: {', '.join(others)} is no parameter of {of}.")


def _check_below_one(name: str, value: float) -> None:
    if not 0 <= value < 1:
        raise bad_config(f"spec.model.parameters: {name} {value} must be from 0 to below 1.")


def _integers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))
