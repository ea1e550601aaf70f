"""Runs as tables, screens and comparisons."""

from datetime import timedelta
from typing import Any

import pytest

from tests.builders import NOON, a_run, stamp
from trainingrun.api import Artifact, MetricValue
from trainingrun.views import tables
from trainingrun.views.comparison import compare
from trainingrun.views.details import details
from trainingrun.views.stages import percent, position, stages_to_show
from trainingrun.views.times import duration

LATER = NOON + timedelta(hours=2, minutes=5)
COLUMNS = {"status": "Running", "progress": "42%", "eta": "3m", "metric": "loss=0.1", "workers": "2/2"}
SEARCH: dict[str, Any] = {"spec__tuning": {"parameters": [{"name": "training.batchSize", "categorical": ["32", "64"]}]}}
BOTH: dict[str, Any] = {"spec__compression": {"pruning": {}, "quantization": {}}}

STAGES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "training alone": ({}, ["Starting", "Training", "Evaluating"]),
    "a search": (SEARCH, ["Starting", "Tuning", "Training", "Evaluating"]),
    "both compressions": (BOTH, ["Starting", "Training", "Pruning", "Quantizing", "Evaluating"]),
    "quantization": ({"spec__compression": {"quantization": {}}}, ["Starting", "Training", "Quantizing", "Evaluating"]),
}


@pytest.mark.parametrize(("changes", "stages"), STAGES.values(), ids=STAGES)
def test_a_run_goes_through_the_stages_that_it_asks_for(changes: dict[str, Any], stages: list[str]) -> None:
    assert stages_to_show(a_run(**changes)) == tuple(stages)


def test_the_bar_is_the_part_of_the_stage_that_is_done() -> None:
    progress = {"stage": "Training", "step": 30, "steps": 40, "percent": 10, "stagePercent": 75}
    run = a_run(status={"stage": "Training", "progress": progress})
    assert (position(run, stages_to_show(run)), percent(run)) == (1, 75)
    assert percent(a_run(status={"stage": "Evaluating", "progress": progress})) == 0


@pytest.mark.parametrize(("seconds", "text"), [(45, "45s"), (200, "3m20s"), (7500, "2h5m"), (273600, "3d4h"), (-1, "0s")])
def test_durations_are_read_at_a_glance(seconds: int, text: str) -> None:
    assert duration(seconds) == text


def test_runs_have_the_columns_of_kubectl_get_and_their_age() -> None:
    status = {"columns": COLUMNS, "stage": "Training", "startTime": stamp(NOON + timedelta(minutes=5))}
    table = tables.runs([a_run("b", status=status), a_run("a")], now=LATER)
    assert table.header[:3] == ("NAME", "STATUS", "STAGE")
    assert table.rows == (
        ("a", "New", "", "", "", "", "", "", "2h5m"),
        ("b", "Running", "Training", "42%", "3m", "loss=0.1", "2/2", "2h0m", "2h5m"),
    )
    assert tables.runs([a_run("a")], now=LATER, with_namespace=True).rows[0][:2] == ("team", "a")


def test_artifacts_say_what_decides() -> None:
    metrics = (MetricValue(name="accuracy", value="0.97"),)
    small = Artifact(name="int8", uri="pvc://m/a", size_bytes=15_400, gzipped_bytes=812, metrics=metrics, accepted=True)
    assert tables.artifacts([small]).rows == (("int8", "15 kB", "812 B", "0.97", "yes", "pvc://m/a"),)


def test_a_comparison_has_what_differs_and_what_came_of_it() -> None:
    result = {"metrics": [{"name": "val_accuracy", "value": "0.98"}], "artifacts": []}
    first = a_run("a", spec__training={"epochs": 2}, status={"columns": COLUMNS, "result": result})
    second = a_run("b", spec__training={"epochs": 9}, spec__rerun="x", status={"columns": {"status": "Failed"}})
    differing, results = compare([first, second])
    assert differing.header == ("", "a", "b")
    assert differing.rows == (("training.epochs", "2", "9"),)
    assert results.rows == (("status", "Running", "Failed"), ("val_accuracy", "0.98", ""))


def test_a_screen_leaves_out_what_is_not_known() -> None:
    shown = dict(
        line for group in details(a_run(status={"columns": COLUMNS, "stage": "Training"}), now=LATER) for line in group
    )
    assert shown["Stages"] == "+Starting  >Training  .Evaluating"
    assert shown["Progress"] == "42%, 3m left"
    assert "Metrics" not in shown
    assert all(shown.values())
