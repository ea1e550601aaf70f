"""`spec.model`: the network that is trained."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from trainingrun.api.base import Frozen, Rule, rule, rules


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


class Parameter(Frozen):
    """A named parameter of the network; values are strings."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=63, description="Name.")]
    value: Annotated[str, Field(max_length=255, description="Value, written as a string.")]


_INTEGERS = r"^[1-9][0-9]{0,3}(,[1-9][0-9]{0,3}){0,7}$"


def _each(condition: str, message: str) -> Rule:
    """A rule that every parameter `p` must meet; it stands on the model because some depend on its type."""
    return rule(f"!has(self.parameters) || self.parameters.all(p, {condition})", message, field_path=".parameters")


class Model(Frozen):
    """The network and its parameters."""

    builtin: Annotated[BuiltinModel, Field(description="A network that comes with the trainer.")]
    parameters: Annotated[
        tuple[Parameter, ...],
        Field(
            max_length=32,
            description="Parameters of the built-in networks: activation (ReLU, ReLU6, HardSwish, GELU), dropout "
            "(0 to below 1), hiddenUnits (sizes of the dense layers, for example 128 or 256,128), and for CNN filters "
            "(of each convolution, for example 16,32,64) and kernelSize (odd, 1 to 11).",
            json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
        ),
    ] = ()

    model_config = rules(
        _each(
            "p.name in ['activation', 'dropout', 'hiddenUnits', 'filters', 'kernelSize']",
            "model.parameters of a built-in network may be named activation, dropout, hiddenUnits, filters and "
            "kernelSize: correct or remove the others.",
        ),
        _each(
            "self.builtin.type == 'CNN' || !(p.name in ['filters', 'kernelSize'])",
            "model.parameters filters and kernelSize are for model.builtin.type CNN: remove them or change the type.",
        ),
        _each(
            "p.name != 'activation' || p.value in ['ReLU', 'ReLU6', 'HardSwish', 'GELU']",
            "model.parameters activation must be ReLU, ReLU6, HardSwish or GELU.",
        ),
        _each(
            r"p.name != 'dropout' || p.value.matches('^0(\\.[0-9]+)?$')",
            'model.parameters dropout must be a decimal from 0 to below 1, for example "0.2".',
        ),
        _each(
            f"!(p.name in ['hiddenUnits', 'filters']) || p.value.matches('{_INTEGERS}')",
            "model.parameters hiddenUnits and filters must be one to eight positive integers below 10000, separated by "
            'commas, for example "256,128".',
        ),
        _each(
            "p.name != 'kernelSize' || p.value in ['1', '3', '5', '7', '9', '11']",
            "model.parameters kernelSize must be an odd integer from 1 to 11.",
        ),
    )
