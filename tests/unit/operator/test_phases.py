"""What is stored says which phase a run is in, and the phase has what it needs."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.builders import CONFIG, NOON, a_run, an_active_run
from trainingrun.api import StopReason, TrainingRun, TrainingRunStatus
from trainingrun_operator.life import ActiveAttempt, BetweenAttempts, Life, StoppingAttempt, phase_of
from trainingrun_operator.model import Observed

PAGE = Path(__file__).parents[3] / "docs/explanation/life-cycle.md"
STOPPING = {"attempt": 1, "reason": "Rerun"}
PHASES: dict[str, tuple[TrainingRun, type[Life]]] = {
    "new": (a_run(), BetweenAttempts),
    "backing off": (a_run(status={"attempt": 1, "retryAt": "2026-11-24T12:00:10Z"}), BetweenAttempts),
    "active": (an_active_run(), ActiveAttempt),
    "stopping": (an_active_run(status={"stopping": STOPPING}), StoppingAttempt),
    "finished, and to be run again": (a_run(status={"attempt": 1, "stopping": STOPPING}), StoppingAttempt),
}


def phase(run: TrainingRun) -> Any:
    return phase_of(run, Observed(), now=NOON, config=CONFIG)


@pytest.mark.parametrize(("run", "expected"), PHASES.values(), ids=PHASES)
def test_what_is_stored_says_which_phase_a_run_is_in(run: TrainingRun, expected: type[Life]) -> None:
    assert type(phase(run)) is expected


def test_what_applies_to_an_attempt_and_why_it_is_stopped_are_there_in_their_phases() -> None:
    assert phase(PHASES["active"][0]).resolved.replicas == 2
    assert phase(PHASES["stopping"][0]).intent.reason is StopReason.RERUN


def test_only_between_attempts_a_preset_can_be_an_obstacle() -> None:
    assert phase(a_run(spec__preset="small")).obstacle.reason == "PresetNotFound"
    assert not hasattr(phase(an_active_run(spec__preset="small")), "obstacle")


def test_the_page_tells_of_every_field_of_the_status_what_kind_it_is() -> None:
    rows = re.findall(r"^\| (?:intent|memory|derived) \|([^|]*)\|", PAGE.read_text(), re.MULTILINE)
    told = [field for row in rows for field in re.findall("`([^`]+)`", row)]
    assert sorted(told) == sorted(str(field.alias) for field in TrainingRunStatus.model_fields.values())
