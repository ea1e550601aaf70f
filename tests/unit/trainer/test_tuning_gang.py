"""Searches of whole gangs: agents, ranks and the process of the study, as pods would run them."""

import json
from pathlib import Path
from typing import Any

from tests.unit.trainer.starting import Start, result_of

RATES = {"name": "training.optimizer.learningRate", "categorical": ["1e-9", "0.001", "0.002", "0.003"]}
SEARCH = {"algorithm": "Grid", "scheduler": "None", "trials": 4, "epochsPerTrial": 2, "parameters": [RATES]}
LONG = {**SEARCH, "epochsPerTrial": 6}
TRAINING = {"epochs": 1, "batchSize": 64}


def course(tmp_path: Path, attempt: int = 1) -> list[dict[str, Any]]:
    """What an attempt has noted of the search."""
    file = tmp_path / "output" / ".trainingrun" / "uid-1" / "1" / str(attempt) / "tuning.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def trials_with(event: str, lines: list[dict[str, Any]]) -> list[int]:
    return sorted(line["trial"] for line in lines if line["event"] == event)


def test_all_ranks_run_trials_and_train_the_best_together(start: Start, tmp_path: Path) -> None:
    gang = start(rank="tests.unit.trainer.sharing_rank", tuning=SEARCH, training=TRAINING)
    assert [record.exit_code for record in gang.wait()] == [0, 0]
    lines = course(tmp_path)
    assert trials_with("completed", lines) == [0, 1, 2, 3]
    assert {line["rank"] for line in lines if line["event"] == "started"} == {0, 1}
    status = gang.wait()[0].tuning
    assert status is not None
    assert status.best is not None
    (best,) = status.best.parameters
    assert best.value != "1e-9"
    assert result_of(tmp_path)["config"]["training"]["optimizer"]["learningRate"] == best.value
    assert (tmp_path / "output" / "run" / "tuning.jsonl").exists()


def test_after_a_killed_pod_its_trial_has_failed_and_the_finished_ones_stay(start: Start, tmp_path: Path) -> None:
    killed = start(replicas=1, tuning=LONG, training=TRAINING)
    killed.wait_until(lambda: trials_with("started", course(tmp_path)) == [0, 1])
    killed.kill(0)
    after = start(attempt=2, replicas=1, tuning=LONG, training=TRAINING)
    assert [record.exit_code for record in after.wait()] == [0]
    lines = course(tmp_path, attempt=2)
    assert trials_with("started", lines) == [0, 1, 2, 3]
    assert trials_with("completed", lines) == [0, 2, 3]
    (failure,) = (line for line in lines if line["event"] == "failed")
    assert (failure["trial"], failure["cause"], failure["attempt"]) == (1, "OOMKilled", 2)


def test_a_gang_that_is_told_to_stop_saves_the_study_and_the_next_one_goes_on(start: Start, tmp_path: Path) -> None:
    stopped = start(tuning=LONG, training=TRAINING)
    stopped.wait_until(lambda: "completed" in {line["event"] for line in course(tmp_path)})
    stopped.terminate()
    assert [(record.exit_code, record.cause) for record in stopped.wait()] == [(75, "Interrupted")] * 2
    assert trials_with("interrupted", course(tmp_path))
    after = start(attempt=2, tuning=LONG, training=TRAINING)
    assert [record.exit_code for record in after.wait()] == [0, 0]
    lines = course(tmp_path, attempt=2)
    assert trials_with("completed", lines) == [0, 1, 2, 3]
    assert trials_with("failed", lines) == []


def test_a_search_that_cannot_be_is_refused_before_anything_is_loaded(start: Start) -> None:
    gang = start(replicas=1, tuning={**SEARCH, "trials": 3}, training=TRAINING)
    (record,) = gang.wait()
    assert (record.exit_code, record.cause) == (64, "BadConfig")
    assert record.message.startswith("spec.tuning.algorithm Grid has 4 points, more than spec.tuning.trials 3.")
    assert "tensorflow" not in gang.log(0)
