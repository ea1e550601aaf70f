"""Real gangs on storage that stumbles: they succeed with equal results, and who waits is alive and can be told to stop."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.object_store.server import put_credentials
from tests.object_store.stumbling import RESET, status, stumbling_proxy
from tests.unit.trainer.starting import Start, result_of
from tests.unit.trainer.stores import a_location, a_store
from tests.unit.trainer.writing import CLAIM, digits, write_image_folder

RANK = "tests.unit.trainer.stumbling_rank"
SETTINGS = {"TRAININGRUN_STORAGE_PATIENCE_SECONDS": "30", "TRAININGRUN_MEMORY_LIMIT": "100000"}
"""A tenth of the patience, and so little memory that the digits are read in every epoch."""
SPEC: dict[str, Any] = {"format": "ImageFolder", "validationFraction": "0.2"}


def the_disk(*, every: int, away_call: int, away_seconds: float) -> dict[str, str]:
    return {
        **SETTINGS,
        "STUMBLING_EVERY": str(every),
        "STUMBLING_AWAY_CALL": str(away_call),
        "STUMBLING_AWAY_SECONDS": str(away_seconds),
    }


def test_who_waits_is_alive_and_ends_when_it_is_told_to(start: Start, tmp_path: Path) -> None:
    write_image_folder(tmp_path / "data", *digits(60))
    disk = the_disk(every=1_000_000, away_call=300, away_seconds=3600)
    patience = {"TRAININGRUN_STORAGE_PATIENCE_SECONDS": "120"}
    gang = start(
        replicas=1, rank=RANK, variables={0: {**disk, **patience}}, data={"source": CLAIM, **SPEC}, training={"epochs": 50}
    )
    gang.wait_until(lambda: "does not answer" in gang.log(0))
    seen = gang.progress()
    gang.wait_until(lambda: gang.progress()["updatedAt"] > seen["updatedAt"])
    assert gang.progress()["step"] == seen["step"]
    gang.terminate()
    record = gang.wait()[0]
    assert (record.exit_code, record.cause) == (75, "Interrupted")
    assert re.search(r"Told to stop while the volume of spec.(data.source|output) did not answer", record.message)
    assert gang.log(0).count("does not answer") == 1


def weights_of(output: Path) -> str:
    """The digest of the arrays of the last checkpoint."""
    notes = sorted(output.rglob("checkpoint-*.json"), key=lambda path: path.name)
    return str(json.loads(notes[-1].read_text())["sha256"])


TRAINING = {"epochs": 8, "batchSize": 8, "earlyStopping": {"patience": 10}}


@pytest.mark.long
def test_two_ranks_on_a_volume_that_stumbles_and_goes_away(start: Start, tmp_path: Path) -> None:
    write_image_folder(tmp_path / "data", *digits(300))
    calm = start(attempt=1, data={"source": CLAIM, **SPEC}, training=TRAINING, variables={0: SETTINGS, 1: SETTINGS})
    assert [record.exit_code for record in calm.wait()] == [0, 0]
    expected, metrics = weights_of(tmp_path / "output"), result_of(tmp_path)["training"]["history"]
    (tmp_path / "output").rename(tmp_path / "calm")
    disks = {0: the_disk(every=100, away_call=3000, away_seconds=12), 1: the_disk(every=89, away_call=2000, away_seconds=12)}
    gang = start(attempt=1, rank=RANK, data={"source": CLAIM, **SPEC}, training=TRAINING, variables=disks)
    assert [record.exit_code for record in gang.wait()] == [0, 0], gang.log(0)[-3000:]
    assert weights_of(tmp_path / "output") == expected
    assert result_of(tmp_path)["training"]["history"] == metrics
    for worker in (0, 1):
        calls, stumbled = map(int, re.findall(r"(\d+) calls, (\d+) of them stumbled", gang.log(worker))[0])
        assert stumbled > calls // 100
        assert "answers again" in gang.log(worker)


@pytest.mark.long
def test_two_ranks_on_a_store_that_stumbles_and_goes_away(start: Start, tmp_path: Path) -> None:
    for name in ("data-access", "output-access"):
        put_credentials(tmp_path / name)
    with (
        a_store(tmp_path / "store") as store,
        stumbling_proxy(store.address, every=100, answers=[status(503), RESET, status(429)]) as proxy,
    ):
        write_image_folder(store.bucket("datasets") / "digits", *digits(300))

        def run(folder: str, **there: str) -> tuple[str, Any]:
            source = {**a_location(store, "s3://datasets/digits"), **there}
            output = {**a_location(store, f"s3://models/{folder}"), **there}
            gang = start(
                attempt=1,
                data={"source": source, **SPEC},
                output=output,
                training=TRAINING,
                variables={0: SETTINGS, 1: SETTINGS},
            )
            assert [record.exit_code for record in gang.wait()] == [0, 0], gang.log(0)[-3000:]
            team = store.folder / "models" / folder
            return weights_of(team), json.loads((team / "run" / "result.json").read_text())["training"]["history"]

        calm = run("calm")
        proxy.on_request = lambda number: proxy.go_away(12) if number == 2000 else None
        assert run("stumbling", endpoint=f"http://{proxy.address}") == calm
        assert proxy.stumbled > 20
        assert proxy.refused > 0
