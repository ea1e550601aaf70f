"""Run all measurements in a cluster of their own, and write docs/benchmarks/tuning.json."""

import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from statistics import median
from typing import Any

from tools import measurements
from tools.measurements import Row
from tools.tuning_bench.course import Course, percent
from tools.tuning_bench.manifests import tuning
from tools.tuning_bench.place import Place, bench_place
from tools.tuning_bench.searches import in_gang, object_per_trial

SEEDS = (1, 2, 3)
TRIALS, EPOCHS = 20, 3
MANY_TRIALS = 200
"""So many that the gang searches for as long as one object per trial takes for its few."""
AFTER_SECONDS = (15, 30, 60, 120)
PRUNED_EPOCHS = 9
"""ASHA looks at trials after 1, 3 and 9 epochs."""
GANG, OBJECTS, MANY = "gang", "objects", "many"
ASHA, NONE = "ASHA", "None"

Courses = dict[str, list[Course]]
"""By the way of searching, one for each seed."""
Way = tuple[Callable[..., Course], Mapping[str, Any]]
"""How to search, and `spec.tuning`."""


def main() -> int:
    """Measure, print and write."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the cluster is taken down then too
    few, many = tuning(trials=TRIALS, epochs=EPOCHS), tuning(trials=MANY_TRIALS, epochs=EPOCHS)
    longer = {scheduler: tuning(trials=TRIALS, epochs=PRUNED_EPOCHS, scheduler=scheduler) for scheduler in (ASHA, NONE)}
    with bench_place() as place:
        print("a first search, which is not counted: files come from the disk", flush=True)
        in_gang(place, tuning(trials=2, epochs=1), name="first", seed=0)
        ways = _measure(place, {GANG: (in_gang, few), OBJECTS: (object_per_trial, few), MANY: (in_gang, many)})
        schedulers = _measure(place, {scheduler: (in_gang, search) for scheduler, search in longer.items()})
    rows = [*_speed_rows(ways), *_value_rows(ways), *_pruning_rows(schedulers)]
    print(measurements.write("tuning", rows, ratios=_ratios(ways, schedulers), command="make bench-tuning"))
    return 0


def _measure(place: Place, ways: Mapping[str, Way]) -> Courses:
    """By turns, so that what else the machine does meets all of them."""
    courses: Courses = {name: [] for name in ways}
    for seed in SEEDS:
        for name, (search, settings) in ways.items():
            print(f"{name}, seed {seed}", flush=True)
            course = search(place, settings, name=f"{name.lower()}-{seed}", seed=seed)
            courses[name].append(course)
            print(f"  {course.trials} trials, {course.epochs} epochs, best {course.best}, first trial after", end=" ")
            print(f"{course.started:.1f} s, the last one over after {course.over:.1f} s", flush=True)
            place.clear()
    return courses


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


def _pruning_rows(schedulers: Courses) -> list[Row]:
    what = f"{TRIALS} trials of up to {PRUNED_EPOCHS} epochs"
    rows: list[Row] = []
    for name, courses in {"ASHA": schedulers[ASHA], "no pruner": schedulers[NONE]}.items():
        rows += [
            _row(f"{what}, {name}: epochs trained", "epochs", (each.epochs for each in courses)),
            _row(f"{what}, {name}: first trial to the end of the last", "s", (each.over - each.started for each in courses)),
            _row(f"{what}, {name}: best val_accuracy", "%", percent(each.best for each in courses)),
        ]
    return rows


def _ratios(ways: Courses, schedulers: Courses) -> dict[str, float]:
    """Ratios of medians."""
    objects = median(each.trials_per_minute for each in ways[OBJECTS])
    started = median(each.trials_per_minute_once_started for each in ways[GANG])
    return {
        "gang_over_object_per_trial": median(each.trials_per_minute for each in ways[GANG]) / objects,
        "started_gang_over_object_per_trial": started / objects,
        "epochs_no_pruner_over_asha": median(each.epochs for each in schedulers[NONE])
        / median(each.epochs for each in schedulers[ASHA]),
    }


def _row(name: str, unit: str, values: Iterable[float]) -> Row:
    return measurements.row(name, unit, list(values), digits=1)


if __name__ == "__main__":
    sys.exit(main())
