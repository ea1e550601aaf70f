"""Real gangs that train from an object store to an object store, with other credentials for each."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.object_store.server import ObjectStore, put_credentials
from tests.unit.trainer.starting import Start
from tests.unit.trainer.stores import a_location, a_store
from trainingrun_trainer.stages.artifact_list import digest_of_folder

DIGITS = ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz")


@pytest.fixture
def store(tmp_path: Path, builtin_data: Path) -> Iterator[ObjectStore]:
    """A store with the digits, and what a pod has mounted for it."""
    put_credentials(tmp_path / "data-access")
    put_credentials(tmp_path / "output-access")
    with a_store(tmp_path / "store") as running:
        for name in DIGITS:
            (running.bucket("datasets") / name).write_bytes((builtin_data / "mnist-10k" / name).read_bytes())
        yield running


def remote(store: ObjectStore) -> dict[str, Any]:
    """The blocks of a run that reads and writes there."""
    idx = dict(zip(("images", "labels"), DIGITS, strict=True))
    data = {"source": a_location(store, "s3://datasets"), "format": "IDX", "idx": idx, "validationFraction": "0.5"}
    return {"data": data, "output": a_location(store, "s3://models/team")}


def test_a_run_from_store_to_store_is_interrupted_and_goes_on(start: Start, store: ObjectStore, tmp_path: Path) -> None:
    training = {"epochs": 5, "earlyStopping": {"patience": 5}}
    gang = start(training=training, **remote(store))
    gang.wait_for_step(45)
    gang.terminate()
    assert [record.exit_code for record in gang.wait()] == [75, 75]

    resumed = start(attempt=2, training=training, **remote(store))
    records = resumed.wait()
    assert [record.exit_code for record in records] == [0, 0]
    assert "going on from checkpoint s3://models/team/.trainingrun/uid-1/1/1/checkpoint-" in resumed.log(0)
    run = store.folder / "models" / "team" / "run"
    report = json.loads((run / "result.json").read_text())
    assert len(report["training"]["history"]) == 5
    assert report["metrics"]["val_accuracy"] > 0.9
    artifact = records[0].result.artifacts[0] if records[0].result is not None else None
    assert artifact is not None
    assert (artifact.uri, artifact.sha256) == ("s3://models/team/run/model", digest_of_folder(run / "model")[0])
    logs = sorted(str(path.relative_to(run / "logs")) for path in (run / "logs").rglob("*.log"))
    assert logs == ["1/0.log", "1/1.log", "2/0.log", "2/1.log"]
    assert "epoch=5 " in (run / "logs" / "2" / "0.log").read_text()
    assert not (tmp_path / "output").exists()


@pytest.mark.long
def test_a_search_whose_pods_are_killed_goes_on_from_the_store(start: Start, store: ObjectStore) -> None:
    rates = {"name": "training.optimizer.learningRate", "categorical": ["0.001", "0.002", "0.003"]}
    search = {"algorithm": "Grid", "scheduler": "None", "trials": 3, "epochsPerTrial": 6, "parameters": [rates]}
    blocks = {"tuning": search, "training": {"epochs": 1}, **remote(store)}
    team = store.folder / "models" / "team"

    def course(attempt: int) -> list[dict[str, Any]]:
        file = team / ".trainingrun" / "uid-1" / "1" / str(attempt) / "tuning.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    killed = start(replicas=1, **blocks)
    killed.wait_until(lambda: [line["trial"] for line in course(1) if line["event"] == "started"] == [0, 1])
    killed.kill(0)
    before = course(1)
    after = start(attempt=2, replicas=1, **blocks)
    (record,) = after.wait()
    assert record.exit_code == 0, after.log(0)[-3000:]
    lines = course(2)
    assert lines[: len(before)] == before
    assert [(line["trial"], line["event"], line["attempt"]) for line in lines if line["event"] != "epoch"] == [
        *((0, "started", 1), (0, "completed", 1), (1, "started", 1), (1, "failed", 2)),
        *((2, "started", 2), (2, "completed", 2)),
    ]
    assert (team / "run" / "tuning.jsonl").read_text().splitlines() == [json.dumps(line) for line in lines]


def test_keys_that_may_not_write_are_named_before_anything_is_read(start: Start, store: ObjectStore, tmp_path: Path) -> None:
    put_credentials(tmp_path / "output-access", secret="wrong")
    record = start(replicas=1, **remote(store)).wait()[0]
    assert (record.exit_code, record.cause) == (64, "BadConfig")
    assert "The server refuses access to s3://models/team (spec.output.uri)" in record.message
    assert "Secret keys (spec.output.secretName)" in record.message
