"""Training from and to storage that stumbles and goes away: the run succeeds, and what it has learned is equal to the bit."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.object_store.server import ObjectStore, put_credentials
from tests.object_store.stumbling import RESET, status, stumbling_proxy
from tests.unit.trainer.stages_alone import Alone, alone
from tests.unit.trainer.stores import a_location, a_store, an_access
from tests.unit.trainer.stumbling_disk import StumblingDisk, mounted
from tests.unit.trainer.writing import CLAIM, digits, write_image_folder
from trainingrun_trainer import checkpoint as checkpoints
from trainingrun_trainer import fence
from trainingrun_trainer.checkpoint import Checkpoint
from trainingrun_trainer.data.source import load_split
from trainingrun_trainer.output.objects import ObjectPlace, Store
from trainingrun_trainer.output.volume import VolumePlace
from trainingrun_trainer.patience import Patience
from trainingrun_trainer.stages.train import train

IMAGES, LABELS = digits(150)
TRAINING = {"epochs": 2, "batchSize": 16, "earlyStopping": {"patience": 5}}
STREAMED = {"TRAININGRUN_MEMORY_LIMIT": "100000"}
"""So little that 150 digits do not fit: they are read in every epoch."""
PATIENT = Patience(30.0)
"""A tenth of a rank's."""
AWAY_SECONDS = 1.2
"""A hundredth of two minutes: the shape is the same, and the pauses are as many."""


def trained(rank: Alone) -> list[Any]:
    """The last checkpoint's weights, optimizer and best weights."""
    fence.claim(rank.paths)
    split, about = load_split(rank.context)
    assert about.is_streamed
    train(rank.context, rank.network(split), split)
    found = checkpoints.newest(rank.paths.round, before=1)
    assert found is not None
    last = Checkpoint.decode(*found)
    assert last.state.epoch == 2
    return [*last.weights, *last.optimizer, *last.best]


def a_rank(folder: Path, *, source: dict[str, Any], root: Any) -> Alone:
    environment = {
        "TRAININGRUN_DATA_MOUNT": str(folder / "data"),
        "TRAININGRUN_DATA_ACCESS_MOUNT": str(folder / "keys"),
        **STREAMED,
    }
    rank = alone(
        folder / "output", environment=environment, data={"source": source, "format": "ImageFolder"}, training=TRAINING
    )
    rank.root, rank.patience = root, PATIENT
    return rank


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """What is learned where nothing stumbles."""
    folder = tmp_path_factory.mktemp("calm")
    write_image_folder(folder / "data", IMAGES, LABELS)
    return trained(a_rank(folder, source=CLAIM, root=VolumePlace(folder / "output", "pvc://models")))


def assert_equal(learned: list[Any], expected: list[Any]) -> None:
    assert len(learned) == len(expected)
    for one, other in zip(learned, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_from_a_volume_to_a_volume(tmp_path: Path, calm: list[Any]) -> None:
    write_image_folder(tmp_path / "data", IMAGES, LABELS)
    disk = StumblingDisk(tmp_path / "data", tmp_path / "output", every=97)
    disk.on_call = lambda call: disk.go_away(AWAY_SECONDS) if call == 600 else None
    output = VolumePlace(tmp_path / "output", "pvc://models", patience=PATIENT)
    with mounted(disk):
        learned = trained(a_rank(tmp_path, source=CLAIM, root=output))
    assert disk.stumbled > disk.calls // 97
    assert_equal(learned, calm)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ObjectStore]:
    put_credentials(tmp_path / "keys")
    with a_store(tmp_path / "store") as running:
        write_image_folder(running.bucket("datasets") / "digits", IMAGES, LABELS)
        yield running


def test_from_a_store_to_a_store(tmp_path: Path, store: ObjectStore, calm: list[Any]) -> None:
    with stumbling_proxy(store.address, every=71, answers=[status(503), RESET, status(429), status(409)]) as proxy:
        proxy.on_request = lambda number: proxy.go_away(AWAY_SECONDS) if number == 300 else None
        there = {"endpoint": f"http://{proxy.address}"}
        source = {**a_location(store, "s3://datasets/digits"), **there}
        access = an_access({**a_location(store, "s3://models/team"), **there}, mount=tmp_path / "keys")
        learned = trained(a_rank(tmp_path, source=source, root=ObjectPlace(Store(access, PATIENT))))
        assert proxy.stumbled > 3
        assert proxy.refused > 0
    assert_equal(learned, calm)
