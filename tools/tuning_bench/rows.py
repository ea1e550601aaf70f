"""What is reported of the searches. Pure."""

from collections.abc import Iterable
from statistics import median

from tools import measurements
from tools.measurements import Row
from tools.tuning_bench.course import Course, percent

TRIALS, EPOCHS = 20, 3
MANY_TRIALS = 200
"""So many that the gang searches for as long as one object per trial takes for its few."""
AFTER_SECONDS = (15, 30, 60, 120)
PRUNED_EPOCHS = 9
"""ASHA looks at trials after 1, 3 and 9 epochs."""

GANG, OBJECTS, MANY, ASHA, UNPRUNED = "gang", "objects", "many", "asha", "unpruned"
"""Ways to search: a few trials in the gang, one object for each, many in the gang, longer ones with ASHA and without pruner."""
Courses = dict[str, list[Course]]
"""By the way of searching, one for each seed."""


def rows_of(courses: Courses) -> list[Row]:
    """Minimum, median and maximum over the seeds."""
    return [*_speed_rows(courses), *_value_rows(courses), *_pruning_rows(courses)]


def ratios_of(courses: Courses) -> dict[str, float]:
    """Ratios of medians."""
    objects = median(each.trials_per_minute for each in courses[OBJECTS])
    unpruned = median(each.epochs for each in courses[UNPRUNED])
    started = median(each.trials_per_minute_once_started for each in courses[GANG])
    return {
        "gang_over_object_per_trial": median(each.trials_per_minute for each in courses[GANG]) / objects,
        "started_gang_over_object_per_trial": started / objects,
        "epochs_unpruned_over_asha": unpruned / median(each.epochs for each in courses[ASHA]),
    }


def _speed_rows(ways: Courses) -> list[Row]:
    gang, objects = ways[GANG], ways[OBJECTS]
    what = f"{TRIALS} trials of {EPOCHS} epochs"
    return [
        _row(f"{what}, in the gang: apply to the first trial", "s", (each.started for each in gang)),
        _row(f"{what}, in the gang: apply to the end of the last trial", "s", (each.over for each in gang)),
        _row(f"{what}, one object per trial: apply to the end of the last trial", "s", (each.over for each in objects)),
        _row("in the gang", "trials/min", (each.trials_per_minute for each in gang)),
        _row("in the gang, its start not counted", "trials/min", (each.trials_per_minute_once_started for each in gang)),
        _row("one object per trial", "trials/min", (each.trials_per_minute for each in objects)),
    ]


def _value_rows(ways: Courses) -> list[Row]:
    """The gang's search for as long as the other one, not that of a few trials."""
    named = {f"in the gang, up to {MANY_TRIALS} trials": ways[MANY], f"one object per trial, {TRIALS} trials": ways[OBJECTS]}
    return [
        _row(f"best val_accuracy {seconds} s after apply: {name}", "%", percent(each.best_after(seconds) for each in courses))
        for seconds in AFTER_SECONDS
        for name, courses in named.items()
    ]


def _pruning_rows(ways: Courses) -> list[Row]:
    what = f"{TRIALS} trials of up to {PRUNED_EPOCHS} epochs"
    rows: list[Row] = []
    for name, courses in {"ASHA": ways[ASHA], "no pruner": ways[UNPRUNED]}.items():
        rows += [
            _row(f"{what}, {name}: epochs trained", "epochs", (each.epochs for each in courses)),
            _row(f"{what}, {name}: first trial to the end of the last", "s", (each.over - each.started for each in courses)),
            _row(f"{what}, {name}: best val_accuracy", "%", percent(each.best for each in courses)),
        ]
    return rows


def _row(name: str, unit: str, values: Iterable[float]) -> Row:
    return measurements.row(name, unit, list(values), digits=1)
