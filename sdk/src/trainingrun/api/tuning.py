"""`spec.tuning`: the search for better parameters, in trials that the ranks of the gang run one by one."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from trainingrun.api.base import Frozen, rule, rules
from trainingrun.api.search import SearchParameter

MOST_TRIALS = 1000
MOST_PARAMETERS = 16
ASHA_REDUCTION = 3
"""A third of the trials goes on after 1, 3, 9, ... epochs (https://arxiv.org/abs/1810.05934, where it is called eta)."""


class TuningMetric(StrEnum):
    """Metrics, over all validation samples, that trials are compared by."""

    VALIDATION_LOSS = "val_loss"
    VALIDATION_ACCURACY = "val_accuracy"


class Goal(StrEnum):
    """Which values of the metric are better."""

    MAXIMIZE = "Maximize"
    MINIMIZE = "Minimize"


def _fitting(objective: dict[str, Any]) -> Goal:
    """The goal of an objective that names only its metric."""
    return Goal.MINIMIZE if objective.get("metric") is TuningMetric.VALIDATION_LOSS else Goal.MAXIMIZE


class Objective(Frozen):
    """What makes a trial better than another."""

    metric: Annotated[TuningMetric, Field(description="val_loss or val_accuracy.")] = TuningMetric.VALIDATION_ACCURACY
    goal: Goal = Field(
        default_factory=_fitting,
        description="Maximize or Minimize. Where left out: what fits the metric.",
    )

    model_config = rules(
        rule(
            "!has(self.goal) || (self.metric == 'val_accuracy') == (self.goal == 'Maximize')",
            "'tuning.objective.goal ' + self.goal + ' does not fit metric ' + self.metric + ': accuracy is maximized, loss is "
            "minimized. Leave goal out, or change one of them.'",
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


class Tuning(Frozen):
    """A search before training. Each rank runs trials, each on all training data; the best parameters train the model."""

    objective: Annotated[Objective, Field(description="What makes a trial better.")] = Objective()
    algorithm: Annotated[
        Algorithm,
        Field(
            description="TPE (learns from finished trials), Random, or Grid: every combination of int and categorical values."
        ),
    ] = Algorithm.TPE
    scheduler: Annotated[
        Scheduler, Field(description="ASHA: trials that fall behind the others at the same epoch end early. None: all finish.")
    ] = Scheduler.ASHA
    trials: Annotated[
        int, Field(ge=1, le=MOST_TRIALS, description="Trials in all; with Grid at most, as the grid may have fewer points.")
    ] = 20
    epochs_per_trial: Annotated[int, Field(ge=1, le=1000, description="Epochs of a trial that is not ended early.")] = 5
    parameters: Annotated[
        tuple[SearchParameter, ...],
        Field(
            min_length=1,
            max_length=MOST_PARAMETERS,
            description="What is searched, also values that are Auto in spec: what is searched is not measured before.",
            json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
        ),
    ]

    model_config = rules(
        rule(
            "self.algorithm != 'Grid' || self.parameters.all(p, !has(p.double))",
            "tuning.parameters double has no end of values, so tuning.algorithm Grid cannot try all: list them as categorical, "
            "use int, or change the algorithm.",
            field_path=".parameters",
        ),
    )
