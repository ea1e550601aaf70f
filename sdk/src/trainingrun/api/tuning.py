"""`spec.tuning`: the search for better parameters, in trials that the ranks of the gang run one by one."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from trainingrun.api.base import Decimal, Frozen, rule, rules

MOST_TRIALS = 1000


class TuningMetric(StrEnum):
    """Metrics, over all validation samples, that trials are compared by."""

    VALIDATION_LOSS = "val_loss"
    VALIDATION_ACCURACY = "val_accuracy"


class Goal(StrEnum):
    """Which values of the metric are better."""

    MAXIMIZE = "Maximize"
    MINIMIZE = "Minimize"


class Objective(Frozen):
    """What makes a trial better than another."""

    metric: Annotated[TuningMetric, Field(description="val_loss or val_accuracy.")] = TuningMetric.VALIDATION_ACCURACY
    goal: Annotated[Goal, Field(description="Maximize or Minimize.")] = Goal.MAXIMIZE

    model_config = rules(
        rule(
            "(self.metric == 'val_accuracy') == (self.goal == 'Maximize')",
            "'tuning.objective.goal ' + self.goal + ' does not fit metric ' + self.metric + ': accuracy is maximized, loss is "
            "minimized.'",
            field_path=".goal",
            computed=True,
        ),
    )


class Algorithm(StrEnum):
    """How the next trial's parameters are suggested."""

    TPE = "TPE"
    RANDOM = "Random"
    GRID = "Grid"


class Scheduler(StrEnum):
    """Whether trials that fall behind are ended early."""

    ASHA = "ASHA"
    NONE = "None"


class Scale(StrEnum):
    """How a range is searched."""

    LINEAR = "Linear"
    LOG = "Log"


class DoubleRange(Frozen):
    """Decimal numbers between two bounds, both included."""

    minimum: Annotated[Decimal, Field(description="Smallest value.")]
    maximum: Annotated[Decimal, Field(description="Largest value.")]
    scale: Annotated[Scale, Field(description="Linear, or Log: the exponent is searched evenly.")] = Scale.LINEAR

    model_config = rules(
        rule(
            "double(self.minimum) < double(self.maximum)",
            "'tuning.parameters double.minimum ' + self.minimum + ' must be below maximum ' + self.maximum + '.'",
            computed=True,
        ),
        rule(
            "self.scale != 'Log' || double(self.minimum) > 0.0",
            "tuning.parameters double.minimum must be more than 0 with scale Log.",
            field_path=".minimum",
        ),
    )


class IntRange(Frozen):
    """Whole numbers between two bounds, both included."""

    minimum: Annotated[int, Field(ge=0, le=1000000, description="Smallest value.")]
    maximum: Annotated[int, Field(ge=0, le=1000000, description="Largest value.")]
    step: Annotated[int, Field(ge=1, le=1000000, description="Distance of neighbouring values. Only with scale Linear.")] = 1
    scale: Annotated[Scale, Field(description="Linear, or Log: the exponent is searched evenly.")] = Scale.LINEAR

    model_config = rules(
        rule(
            "self.minimum < self.maximum",
            "'tuning.parameters int.minimum %d must be below maximum %d.'.format([self.minimum, self.maximum])",
            computed=True,
        ),
        rule(
            "self.scale != 'Log' || (self.minimum > 0 && self.step == 1)",
            "tuning.parameters int with scale Log needs a minimum of at least 1, and no step.",
        ),
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
        Field(min_length=1, max_length=32, description="Values as they would be written in spec."),
    ] = None

    model_config = rules(
        rule(
            "[has(self.double), has(self.int), has(self.categorical)].filter(x, x).size() == 1",
            "'tuning.parameters ' + self.name + ' needs exactly one of double, int and categorical.'",
            computed=True,
        ),
    )


class Tuning(Frozen):
    """A search before training. Each rank runs trials, each on all training data; the best parameters train the model."""

    objective: Annotated[Objective, Field(description="What makes a trial better.")] = Objective()
    algorithm: Annotated[Algorithm, Field(description="TPE, Random or Grid.")] = Algorithm.TPE
    scheduler: Annotated[
        Scheduler, Field(description="ASHA: trials that fall behind the others at the same epoch end early. None: all finish.")
    ] = Scheduler.ASHA
    trials: Annotated[int, Field(ge=1, le=MOST_TRIALS, description="Trials in all.")] = 20
    epochs_per_trial: Annotated[int, Field(ge=1, le=1000, description="Epochs of a trial that is not ended early.")] = 5
    parameters: Annotated[
        tuple[SearchParameter, ...],
        Field(
            min_length=1,
            max_length=16,
            description="What is searched.",
            json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
        ),
    ]
