"""What the demo shows of a run on a terminal."""

import io
from typing import Any

import pytest
from rich.console import Console

from tests.builders import NOON, a_run, stamp
from tools.live import follow, stages_to_show

SEARCH: dict[str, Any] = {"spec__tuning": {"parameters": [{"name": "training.batchSize", "categorical": [32, 64]}]}}
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


def test_every_stage_of_a_finished_run_has_a_full_bar() -> None:
    succeeded = {"type": "Succeeded", "status": "True", "reason": "Completed", "lastTransitionTime": stamp(NOON)}
    run = a_run(**BOTH, status={"conditions": [succeeded]})
    shown = io.StringIO()
    follow(lambda: run, console=Console(file=shown, force_terminal=True, no_color=True, width=100), timeout=5)
    full = [line for line in shown.getvalue().splitlines() if "100%" in line]
    assert [stage for stage in stages_to_show(run) if not any(stage in line for line in full)] == []
