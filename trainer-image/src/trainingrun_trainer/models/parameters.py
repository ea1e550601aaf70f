"""`spec.model.parameters` of the built-in networks as values. Pure."""

from dataclasses import dataclass

from trainingrun.api import Model, ModelType
from trainingrun_trainer.errors import bad_config

ACTIVATIONS = ("ReLU", "ReLU6", "HardSwish", "GELU")


@dataclass(frozen=True)
class NetworkParameters:
    """Sizes and functions of a built-in network."""

    hidden_units: tuple[int, ...]
    filters: tuple[int, ...] = (16, 32, 64)
    kernel_size: int = 3
    activation: str = "ReLU"
    dropout: float = 0.0


def parse(model: Model) -> NetworkParameters:
    """Read the parameters; those left out have the defaults of the network.

    Raises TrainerError (bad config) naming the parameter: the API server checks the same, but an older CRD may not.
    """
    given = {parameter.name: parameter.value for parameter in model.parameters}
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
    if given:
        raise bad_config(f"spec.model.parameters: {', '.join(given)} is no parameter of {model.builtin.type}.")
    if parameters.activation not in ACTIVATIONS:
        raise bad_config(f"spec.model.parameters: activation {parameters.activation!r} is not one of {', '.join(ACTIVATIONS)}.")
    if not 0 <= parameters.dropout < 1:
        raise bad_config(f"spec.model.parameters: dropout {parameters.dropout} must be from 0 to below 1.")
    return parameters


def _integers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))
