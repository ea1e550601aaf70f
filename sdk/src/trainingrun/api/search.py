"""One parameter of a search: its name, which is a path in spec, and the values that it may have there.

What the API server refuses at the path itself it must refuse here too, before any trial: the rules below are those of
`spec.training` and `spec.augmentation`, for every value of a range or a list.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from trainingrun.api.augmentation import FillMode
from trainingrun.api.base import DECIMAL_PATTERN, Decimal, Frozen, Rule, rule, rules
from trainingrun.api.training import MOST_BATCH, OptimizerName, ScheduleType

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

    minimum: Annotated[Decimal, Field(description="Smallest value.")]
    maximum: Annotated[Decimal, Field(description="Largest value.")]
    scale: Annotated[Scale, Field(description="Linear (where left out), or Log: the exponent is searched evenly.")] = (
        Scale.LINEAR
    )

    model_config = rules(
        rule(
            "double(self.minimum) < double(self.maximum)",
            "'tuning.parameters double.minimum ' + self.minimum + ' must be below maximum ' + self.maximum + '.'",
            computed=True,
        ),
        # Nothing in a list has a default: what is left out is missing here.
        rule(
            "!has(self.scale) || self.scale != 'Log' || double(self.minimum) > 0.0",
            "'tuning.parameters double.minimum ' + self.minimum + ' must be more than 0 with scale Log: raise it, or use scale "
            "Linear.'",
            field_path=".minimum",
            computed=True,
        ),
    )


class IntRange(Frozen):
    """Whole numbers between two bounds, both included."""

    minimum: Annotated[int, Field(ge=0, le=1000000, description="Smallest value.")]
    maximum: Annotated[int, Field(ge=0, le=1000000, description="Largest value.")]
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
    """CEL that every value `v`, a double, of the parameters of these names meets a condition; what is no number is left out."""
    given = "self.categorical.filter(v, v.matches(r'" + DECIMAL_PATTERN + "')).map(v, double(v))"
    bounds = "[double(self.double.minimum), double(self.double.maximum)]"
    whole = "[double(self.int.minimum), double(self.int.maximum)]"
    values = f"(has(self.double) ? {bounds} : has(self.int) ? {whole} : has(self.categorical) ? {given} : [])"
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


def _words(path: str, words: Iterable[str]) -> Rule:
    """The values that a path with an enumeration may have."""
    return rule(
        f"self.name != '{path}' || (has(self.categorical) && self.categorical.all(v, v in {_listed(words)}))",
        f"tuning.parameters {path} needs categorical, with values from {_named(words)}.",
        field_path=".categorical",
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
        tuple[Annotated[str, Field(min_length=1, max_length=63)], ...] | None,
        Field(
            min_length=1,
            max_length=32,
            description="Values as they would be written in spec.",
            json_schema_extra={"x-kubernetes-list-type": "set"},
        ),
    ] = None

    model_config = rules(
        rule(
            "[has(self.double), has(self.int), has(self.categorical)].filter(x, x).size() == 1",
            "'tuning.parameters ' + self.name + ' needs exactly one of double, int and categorical.'",
            computed=True,
        ),
        rule(
            f"self.name in {_listed(SEARCHABLE)} || self.name.matches('^model[.]parameters[.][A-Za-z][A-Za-z0-9_]*$')",
            f"'tuning.parameters ' + self.name + ' cannot be searched: name {_named(SEARCHABLE, last='or')}, or "
            f"{MODEL_PARAMETERS}<name>.'",
            field_path=".name",
            computed=True,
        ),
        rule(
            f"!(self.name in {_listed(SEARCHABLE_WHOLE_NUMBERS)}) || has(self.int) || "
            "(has(self.categorical) && self.categorical.all(v, v.matches('^[1-9][0-9]{0,5}$')))",
            "'tuning.parameters ' + self.name + ' needs whole numbers: int, or categorical such as \"32\" and \"64\".'",
            computed=True,
        ),
        rule(
            f"!(self.name in {_listed(SEARCHABLE_DECIMALS)}) || !has(self.categorical) || "
            f"self.categorical.all(v, v.matches(r'{DECIMAL_PATTERN}'))",
            "'tuning.parameters ' + self.name + ' needs decimal numbers, for example \"0.001\".'",
            field_path=".categorical",
            computed=True,
        ),
        *(_words(path, words) for path, words in SEARCHABLE_WORDS.items()),
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
