"""What is read from the journal of a search, and that the runs which are measured are good ones."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tools.tuning_bench import rows
from tools.tuning_bench.course import Course
from tools.tuning_bench.manifests import search_in_gang, single_trial, tuning
from trainingrun.api import TrainingRun

APPLIED = datetime(2026, 1, 1, tzinfo=UTC)


def a_journal(*events: tuple[float, dict[str, Any]]) -> bytes:
    lines = (json.dumps({**event, "time": (APPLIED + timedelta(seconds=seconds)).isoformat()}) for seconds, event in events)
    return "\n".join(lines).encode() + b"\n"


JOURNAL = a_journal(
    (5, {"trial": 0, "event": "started"}),
    (6, {"trial": 1, "event": "started"}),
    (7, {"trial": 0, "event": "epoch", "epoch": 1, "value": 0.5}),
    (8, {"trial": 0, "event": "epoch", "epoch": 2, "value": 0.75}),
    (9, {"trial": 0, "event": "completed"}),
    (10, {"trial": 1, "event": "epoch", "epoch": 1, "value": 0.9}),
    (15, {"trial": 1, "event": "pruned"}),
)


def test_a_course_has_the_times_since_apply() -> None:
    course = Course.of(JOURNAL, applied=APPLIED)
    assert (course.started, course.ends, course.over) == (5, ((9, 0.75),), 15)
    assert (course.trials, course.epochs) == (2, 3)
    assert course.trials_per_minute == pytest.approx(8)
    assert course.trials_per_minute_once_started == pytest.approx(12)


def test_the_best_is_one_that_had_ended_by_then() -> None:
    course = Course.of(JOURNAL, applied=APPLIED)
    assert (course.best_after(8.9), course.best_after(9), course.best) == (0, 0.75, 0.75)


def test_a_search_with_a_failed_trial_is_not_measured() -> None:
    failed = JOURNAL + a_journal((16, {"trial": 2, "event": "failed", "cause": "OOMKilled", "message": "too much"}))
    with pytest.raises(RuntimeError, match="trial 2 failed: OOMKilled too much"):
        Course.of(failed, applied=APPLIED)


def test_a_trial_of_its_own_has_the_values_that_the_gang_would_try() -> None:
    values = {"training.optimizer.learningRate": "0.002", "model.parameters.hiddenUnits": "64"}
    spec = TrainingRun.parse(single_trial("one", values, epochs=3, seed=7)).spec
    assert (spec.training.epochs, spec.training.seed, spec.workers.replicas) == (3, 7, 1)
    assert spec.training.optimizer.learning_rate == 0.002
    assert [(each.name, each.value) for each in spec.model.parameters] == [("hiddenUnits", "64")]


def test_both_ways_train_the_same_but_for_what_is_searched() -> None:
    alone = single_trial(
        "one", {"training.optimizer.learningRate": "0.002", "model.parameters.hiddenUnits": "64"}, epochs=3, seed=7
    )["spec"]
    gang = search_in_gang("all", tuning(trials=20, epochs=3), seed=7)["spec"]
    assert gang.pop("tuning")["epochsPerTrial"] == 3
    assert gang["workers"].pop("replicas") == 2 * alone["workers"].pop("replicas")
    del alone["training"]["optimizer"], alone["model"]["parameters"], alone["training"]["epochs"], gang["training"]["epochs"]
    assert gang == alone


def a_course(*, started: float = 0, over: float, trials: int = 20, epochs: int = 60, best: float = 0.9) -> Course:
    return Course(started=started, ends=((over, best),), over=over, trials=trials, epochs=epochs)


COURSES = {
    rows.GANG: [a_course(started=5, over=10), a_course(started=5, over=15), a_course(started=5, over=20)],
    rows.OBJECTS: [a_course(over=120), a_course(over=150), a_course(over=300)],
    rows.MANY: [a_course(over=40, best=0.95), a_course(over=50, best=0.96), a_course(over=130, best=0.97)],
    rows.ASHA: [a_course(over=20, epochs=60)],
    rows.UNPRUNED: [a_course(over=30, epochs=180)],
}


def test_ratios_are_those_of_medians() -> None:
    assert rows.ratios_of(COURSES) == pytest.approx(
        {
            "gang_over_object_per_trial": 150 / 15,
            "started_gang_over_object_per_trial": 150 / (15 - 5),
            "epochs_unpruned_over_asha": 3,
        }
    )


def test_best_values_are_compared_after_equal_time() -> None:
    values = {
        row["name"]: (row["min"], row["median"], row["max"]) for row in rows.rows_of(COURSES) if row["name"].startswith("best")
    }
    assert values["best val_accuracy 60 s after apply: in the gang, up to 200 trials"] == (0, 95, 96)
    assert values["best val_accuracy 120 s after apply: one object per trial, 20 trials"] == (0, 0, 90)


def test_a_row_has_a_name_of_its_own() -> None:
    names = [row["name"] for row in rows.rows_of(COURSES)]
    assert len(set(names)) == len(names)
