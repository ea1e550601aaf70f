"""Samples that belong together stay together, whatever the format says which they are."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.trainer.stages_alone import alone
from tests.unit.trainer.writing import CLAIM, digits, png
from trainingrun_trainer.data.feed import Feed
from trainingrun_trainer.data.shard import shard
from trainingrun_trainer.data.source import About, load_split
from trainingrun_trainer.errors import TrainerError

COUNT = 60
PATIENTS = np.arange(COUNT) // 3  # 20 of them, each with three samples
LABELS = np.arange(COUNT) % 2
IMAGES = digits(COUNT)[0]
MARKED = np.broadcast_to(PATIENTS.astype(np.uint8)[:, None, None], (COUNT, 8, 8)).copy()
"""Images that show whose they are."""
FRACTIONS = {"validationFraction": "0.2", "testFraction": "0.2"}
FOLDERS: dict[str, Any] = {"format": "ImageFolder", "imageFolder": {"groupFolders": True}}
TABLE: dict[str, Any] = {"format": "CSV", "csv": {"groupColumn": "patient"}, "normalization": "None"}
ARRAYS: dict[str, Any] = {"format": "NPZ", "npz": {"file": "a.npz", "images": "x", "labels": "y", "groups": "who"}}


def loaded(folder: Path, **data: Any) -> tuple[Any, About]:
    environment = {"TRAININGRUN_DATA_MOUNT": str(folder)}
    return load_split(alone(folder, environment=environment, data={"source": CLAIM, **FRACTIONS, **data}).context)


def split_of(folder: Path, **data: Any) -> Any:
    return loaded(folder, **data)[0]


def first_values(feed: Feed) -> set[int]:
    """The first value of every sample of a part: that of its patient."""
    with feed.deal(shard(len(feed), batch=len(feed), rank=0, size=1), first=0) as dealer:
        batches = dealer.take(1)
    return {int(value) for value in batches.inputs.numpy()[batches.rows[0]].reshape(len(feed), -1)[:, 0]}


def write_folders(folder: Path) -> None:
    for number, (patient, label) in enumerate(zip(PATIENTS, LABELS, strict=True)):
        place = folder / ("ill" if label else "well") / f"patient-{patient}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number}.png").write_bytes(png(MARKED[number][..., None]))


def write_table(folder: Path) -> None:
    lines = [f"{patient},P-{patient},{label}" for patient, label in zip(PATIENTS, LABELS, strict=True)]
    (folder / "a.csv").write_text("\n".join(["age,patient,label", *lines]))


def write_arrays(folder: Path) -> None:
    np.savez(folder / "a.npz", x=MARKED, y=LABELS, who=np.array([f"P-{patient}" for patient in PATIENTS])[:, None])


WRITTEN = {"ImageFolder": (write_folders, FOLDERS), "CSV": (write_table, TABLE), "NPZ": (write_arrays, ARRAYS)}


@pytest.mark.parametrize("kind", WRITTEN)
def test_no_patient_is_in_two_parts(tmp_path: Path, kind: str) -> None:
    write, data = WRITTEN[kind]
    write(tmp_path)
    split, about = loaded(tmp_path, **data)
    parts = [first_values(feed) for feed in (split.training, split.validation, split.test)]
    assert [len(patients) for patients in parts] == [12, 4, 4]
    assert set.union(*parts) == set(range(20))
    assert about.groups == {"training": 12, "validation": 4, "test": 4}
    told = {found.name: found for found in about.found}["data.groups"]
    assert (told.value, "12 for training, 4 for validation, 4 for test." in told.reason) == ("20 groups", True)
    assert len(split.training.shape) == (1 if kind == "CSV" else 3)
    assert kind != "CSV" or split.training.shape == (1,)  # the group is no feature


def test_an_image_beside_the_groups_is_named(tmp_path: Path) -> None:
    write_folders(tmp_path)
    (tmp_path / "ill" / "x.png").write_bytes(png(IMAGES[0]))
    with pytest.raises(
        TrainerError, match=r"ill/x\.png lies in the folder of its class, but spec\.data\.imageFolder\.groupFolders"
    ):
        split_of(tmp_path, **FOLDERS)


def test_a_line_without_a_group_is_named(tmp_path: Path) -> None:
    write_table(tmp_path)
    with (tmp_path / "a.csv").open("a") as file:
        file.write("\n3, ,1")
    with pytest.raises(TrainerError, match=r"a\.csv, line 62, column patient: the group is empty"):
        split_of(tmp_path, **TABLE)


NO_GROUPS = {
    "too few": np.arange(COUNT - 1),
    "fractions": np.arange(COUNT) / 7,
    "pairs": np.zeros((COUNT, 2), np.int64),
}


@pytest.mark.parametrize("groups", NO_GROUPS.values(), ids=NO_GROUPS)
def test_what_cannot_be_groups_is_refused(tmp_path: Path, groups: np.ndarray) -> None:
    np.savez(tmp_path / "a.npz", x=MARKED, y=LABELS, who=groups)
    with pytest.raises(
        TrainerError, match=r"a\.npz \(who\): groups have the shape .* expected one integer or one name for each of 60"
    ):
        split_of(tmp_path, **ARRAYS)
