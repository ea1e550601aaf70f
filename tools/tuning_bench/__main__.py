"""Run all measurements in a cluster of their own, and write docs/benchmarks/tuning.json."""

import signal
import sys
from collections.abc import Callable, Mapping
from typing import Any

from tools import measurements
from tools.tuning_bench import rows
from tools.tuning_bench.course import Course
from tools.tuning_bench.manifests import tuning
from tools.tuning_bench.place import Place, bench_place
from tools.tuning_bench.rows import EPOCHS, MANY_TRIALS, PRUNED_EPOCHS, TRIALS, Courses
from tools.tuning_bench.searches import in_gang, object_per_trial

SEEDS = (1, 2, 3)

Way = tuple[Callable[..., Course], Mapping[str, Any]]
"""How to search, and `spec.tuning`."""
WAYS: dict[str, Way] = {
    rows.GANG: (in_gang, tuning(trials=TRIALS, epochs=EPOCHS)),
    rows.OBJECTS: (object_per_trial, tuning(trials=TRIALS, epochs=EPOCHS)),
    rows.MANY: (in_gang, tuning(trials=MANY_TRIALS, epochs=EPOCHS)),
    rows.ASHA: (in_gang, tuning(trials=TRIALS, epochs=PRUNED_EPOCHS, scheduler="ASHA")),
    rows.UNPRUNED: (in_gang, tuning(trials=TRIALS, epochs=PRUNED_EPOCHS)),
}


def main() -> int:
    """Measure, print and write."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the cluster is taken down then too
    with bench_place() as place:
        print("a first search, which is not counted: files come from the disk", flush=True)
        in_gang(place, tuning(trials=2, epochs=1), name="first", seed=0)
        courses = _measure(place)
    print(measurements.write("tuning", rows.rows_of(courses), ratios=rows.ratios_of(courses), command="make bench-tuning"))
    return 0


def _measure(place: Place) -> Courses:
    """By turns, so that what else the machine does meets all of them."""
    courses: Courses = {way: [] for way in WAYS}
    for seed in SEEDS:
        for way, (search, settings) in WAYS.items():
            print(f"{way}, seed {seed}", flush=True)
            course = search(place, settings, name=f"{way}-{seed}", seed=seed)
            courses[way].append(course)
            print(f"  {course.trials} trials, {course.epochs} epochs, best {course.best}, first trial after", end=" ")
            print(f"{course.started:.1f} s, the last one over after {course.over:.1f} s", flush=True)
            place.clear()
    return courses


if __name__ == "__main__":
    sys.exit(main())
