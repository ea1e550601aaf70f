"""One parameter of a search: its name, which is a path in spec, and the values that it may have there.

What the API server refuses at the path itself it must refuse here too, before any trial: the rules below are those of
`spec.training` and `spec.augmentation`, for every value of a range. A listed value may be of any kind, which CEL does not see:
`trainingrun.api.mistakes` judges those.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Any

from pydantic import ConfigDict, Field, PlainSerializer, SerializationInfo, WithJsonSchema, model_validator

from trainingrun.api.augmentation import FillMode
from trainingrun.api.base import Decimal, Frozen, Rule, is_manifest, rule, rules, up_to
from trainingrun.api.training import MOST_BATCH, OptimizerName, ScheduleType
from trainingrun.api.values import UNTYPED, MistakeError, text_of, value_of

LONGEST_VALUE = 63
MODEL_PARAMETERS = "model.parameters."
"""What the name of a searched parameter of the network begins with."""

SEARCHABLE_WHOLE_NUMBERS = ("training.batchSize", "training.schedule.stepEpochs")
SEARCHABLE_DECIMALS = (
    "training.optimizer.learningRate",
    "training.optimizer.momentum",
    "training.optimizer.weightDecay",
    "training.schedule.stepFactor",
    "training.regularization.l2",
    "augmentation.rotationDegrees",
    "augmentation.widthShift",
    "augmentation.heightShift",
    "augmentation.shearDegrees",
    "augmentation.zoom",
    "augmentation.crop",
)
SEARCHABLE_WORDS = {
    "training.optimizer.name": tuple(OptimizerName),
    "training.schedule.type": tuple(ScheduleType),
    "augmentation.horizontalFlip": ("true", "false"),
    "augmentation.fillMode": tuple(FillMode),
}
SEARCHABLE = (*SEARCHABLE_WHOLE_NUMBERS, *SEARCHABLE_DECIMALS, *SEARCHABLE_WORDS)
"""Paths in spec that can be searched.

Warm-up and scaling are not among them: a trial runs on one rank, where nothing is scaled and the learning rate has nothing to
rise to.
"""


class Scale(StrEnum):
    """How a range is searched."""

    LINEAR = "Linear"
    LOG = "Log"


class DoubleRange(Frozen):
    """Decimal numbers between two bounds, both included."""

    minimum: Annotated[
        Decimal, Field(description="Smallest value that is tried, for example 0.0001.", json_schema_extra=up_to(1e9))
    ]
    maximum: Annotated[
        Decimal, Field(description="Largest value that is tried, for example 0.01.", json_schema_extra=up_to(1e9))
    ]
    scale: Annotated[Scale, Field(description="Linear (where left out), or Log: the exponent is searched evenly.")] = (
        Scale.LINEAR
    )

    model_config = rules(
        rule(
            "self.minimum < self.maximum",
            "'tuning.parameters double.minimum %s must be below maximum %s.'.format([self.minimum, self.maximum])",
            computed=True,
        ),
        # Nothing in a list has a default: what is left out is missing here.
        rule(
            "!has(self.scale) || self.scale != 'Log' || self.minimum > 0.0",
            "'tuning.parameters double.minimum %s must be more than 0 with scale Log: raise it, or use scale Linear.'"
            ".format([self.minimum])",
            field_path=".minimum",
            computed=True,
        ),
    )


class IntRange(Frozen):
    """Whole numbers between two bounds, both included."""

    minimum: Annotated[int, Field(ge=0, le=1000000, description="Smallest value that is tried, for example 16.")]
    maximum: Annotated[int, Field(ge=0, le=1000000, description="Largest value that is tried, for example 128.")]
    step: Annotated[
        int,
        Field(ge=1, le=1000000, description="Distance of neighbouring values, 1 where left out. Only with scale Linear."),
    ] = 1
    scale: Annotated[Scale, Field(description="Linear (where left out), or Log: the exponent is searched evenly.")] = (
        Scale.LINEAR
    )

    model_config = rules(
        rule(
            "self.minimum < self.maximum",
            "'tuning.parameters int.minimum %d must be below maximum %d.'.format([self.minimum, self.maximum])",
            computed=True,
        ),
        rule(
            "!has(self.scale) || self.scale != 'Log' || (self.minimum > 0 && (!has(self.step) || self.step == 1))",
            "tuning.parameters int with scale Log needs a minimum of at least 1, and no step: correct them, or use scale "
            "Linear.",
        ),
    )


def _every(condition: str, *, of: Iterable[str]) -> str:
    """CEL that the bounds `v`, doubles, of the ranges of these names meet a condition."""
    bounds = "[self.double.minimum, self.double.maximum]"
    whole = "[double(self.int.minimum), double(self.int.maximum)]"
    values = f"(has(self.double) ? {bounds} : has(self.int) ? {whole} : [])"
    return f"!(self.name in {_listed(of)}) || {values}.all(v, {condition})"


def _listed(names: Iterable[str]) -> str:
    return str([str(name) for name in names])


def _named(names: Iterable[str], *, last: str = "and") -> str:
    """Names in a sentence."""
    *most, final = [str(name) for name in names]
    return f"{', '.join(most)} {last} {final}" if most else final


def _bound(condition: str, words: str, *, of: tuple[str, ...]) -> Rule:
    """A bound that the field at the path has too."""
    return rule(
        _every(condition, of=of),
        f"'tuning.parameters ' + self.name + ' has a value that is not {words}: correct or remove it.'",
        computed=True,
    )


def _told(values: tuple[str, ...] | None, info: SerializationInfo) -> Any:
    """Listed values as they are in a manifest, and as texts in the contract."""
    return [value_of(text) for text in values] if values is not None and is_manifest(info) else values


_LISTED: dict[str, Any] = {"type": "array", "minItems": 1, "maxItems": 32}
_KINDS = ("double", "int", "categorical")

_RULES = (
    rule(
        f"self.name in {_listed(SEARCHABLE)} || self.name.matches('^model[.]parameters[.][A-Za-z][A-Za-z0-9_]*$')",
        f"'tuning.parameters ' + self.name + ' cannot be searched: name {_named(SEARCHABLE, last='or')}, or "
        f"{MODEL_PARAMETERS}<name>.'",
        field_path=".name",
        computed=True,
    ),
    rule(
        f"!(self.name in {_listed(SEARCHABLE_WHOLE_NUMBERS)}) || !has(self.double)",
        "'tuning.parameters ' + self.name + ' needs whole numbers: int, or categorical such as [32, 64].'",
        field_path=".double",
        computed=True,
    ),
    rule(
        f"!(self.name in {_listed(SEARCHABLE_WORDS)}) || !(has(self.double) || has(self.int))",
        "'tuning.parameters ' + self.name + ' has words, no range of numbers: list them as categorical.'",
        computed=True,
    ),
    _bound(f"v >= 1.0 && v <= {MOST_BATCH}.0", f"from 1 to {MOST_BATCH}", of=("training.batchSize",)),
    _bound("v >= 1.0 && v <= 100000.0", "from 1 to 100000", of=("training.schedule.stepEpochs",)),
    _bound("v > 0.0", "more than 0", of=("training.optimizer.learningRate", "training.schedule.stepFactor")),
    _bound(
        "v < 1.0",
        "below 1",
        of=(
            "training.optimizer.momentum",
            "training.schedule.stepFactor",
            "augmentation.widthShift",
            "augmentation.heightShift",
            "augmentation.zoom",
            "augmentation.crop",
        ),
    ),
    _bound("v <= 180.0", "at most 180 degrees", of=("augmentation.rotationDegrees",)),
    _bound("v < 90.0", "below 90 degrees", of=("augmentation.shearDegrees",)),
)


class SearchParameter(Frozen):
    """One parameter of the search, and the values it may have: exactly one of `double`, `int` and `categorical`."""

    name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=63,
            description="Path in spec, for example training.optimizer.learningRate, or model.parameters.<name>.",
        ),
    ]
    double: Annotated[DoubleRange | None, Field(description="Decimal numbers in a range.")] = None
    int_: Annotated[IntRange | None, Field(alias="int", description="Whole numbers in a range.")] = None
    categorical: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=LONGEST_VALUE)], ...] | None,
        PlainSerializer(_told, when_used="json"),
        WithJsonSchema(_LISTED | {"items": UNTYPED}, mode="validation"),
        WithJsonSchema(
            {"anyOf": [_LISTED | {"items": {"type": "string", "minLength": 1, "maxLength": LONGEST_VALUE}}, {"type": "null"}]},
            mode="serialization",
        ),
        Field(
            min_length=1,
            max_length=32,
            description="Values as they would be written in spec, for example [0.001, 0.01], [Adam, SGD] or [[64], [128, 64]].",
            json_schema_extra={"x-kubernetes-list-type": "atomic"},
        ),
    ] = None

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": [kind]} for kind in _KINDS],
            "x-kubernetes-validations": [*_RULES],
        }
    )

    @model_validator(mode="before")
    @classmethod
    def _listed_as_text(cls, said: Any) -> Any:
        """Take listed values of any kind for their texts, which the contract has."""
        listed = said.get("categorical") if isinstance(said, dict) else None
        if not isinstance(listed, list | tuple):
            return said
        name = str(said.get("name", "")).removeprefix(MODEL_PARAMETERS)
        texts = [text_of(value, name=name) for value in listed]
        for text in texts:
            if not 1 <= len(text) <= LONGEST_VALUE:
                raise MistakeError(
                    f"spec.tuning.parameters {said.get('name')} lists a value of {len(text)} characters, and there may be 1 to "
                    f"{LONGEST_VALUE}: correct or remove it."
                )
        return {**said, "categorical": texts}
