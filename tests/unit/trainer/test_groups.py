"""Samples that belong together stay together, whatever the format says which they are."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.trainer.stages_alone import alone
from tests.unit.trainer.writing import CLAIM, digits, image_records, png, write_tf_record
from trainingrun.api import DataFormat
from trainingrun_trainer.data.example import Keys
from trainingrun_trainer.data.feed import Feed
from trainingrun_trainer.data.record_scan import Found, Scan, joined
from trainingrun_trainer.data.shard import shard
from trainingrun_trainer.data.source import About, load_split
from trainingrun_trainer.errors import TrainerError
from trainingrun_trainer.storage import local_folder

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
FILES: dict[str, Any] = {"format": "IDX", "idx": {"images": "i", "labels": "l", "groups": "g"}}
RECORDS: dict[str, Any] = {"format": "TFRecord", "tfRecord": {"groupKey": "patient"}}


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


def write_files(folder: Path) -> None:
    for name, array in (("i", MARKED), ("l", LABELS.astype(np.uint8)), ("g", PATIENTS.astype(np.uint8))):
        header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
        (folder / name).write_bytes(header + array.tobytes())


def write_records(folder: Path) -> None:
    """In two files: all patients are in both, in opposite orders."""
    pictures = image_records(MARKED[..., None], LABELS)
    records = [{**picture, "patient": f"P-{patient}".encode()} for picture, patient in zip(pictures, PATIENTS, strict=True)]
    write_tf_record(folder / "a.tfrecord", records[::2])
    write_tf_record(folder / "b.tfrecord", records[::-2])


WRITTEN = {
    "ImageFolder": (write_folders, FOLDERS),
    "CSV": (write_table, TABLE),
    "NPZ": (write_arrays, ARRAYS),
    "IDX": (write_files, FILES),
    "TFRecord": (write_records, RECORDS),
}


def test_every_format_can_say_which_samples_belong_together() -> None:
    assert set(WRITTEN) == set(DataFormat)


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


def test_groups_that_ranks_have_found_in_another_order_are_the_same(tmp_path: Path) -> None:
    write_records(tmp_path)
    keys = Keys("image/encoded", "image/class/label", "patient")
    scans = [Scan(local_folder(tmp_path), ["b.tfrecord", "a.tfrecord"], keys) for _ in range(2)]
    for place, scan in enumerate(scans):
        list(scan.run([place]))
    found = joined([Found.decode(scan.found().encode()) for scan in reversed(scans)])
    assert [found.group_names[group] for group in found.groups] == [
        f"P-{patient}" for patient in [*PATIENTS[::-2], *PATIENTS[::2]]
    ]


@pytest.mark.parametrize(
    ("group", "words"),
    [([1, 2], "a list of 2 integers"), (0.5, "a list of 1 decimal numbers"), (b" ", "a list of 1 strings that is empty")],
    ids=["several", "fraction", "empty"],
)
def test_a_record_without_one_group_is_named(tmp_path: Path, group: Any, words: str) -> None:
    write_tf_record(tmp_path / "a.tfrecord", [{**record, "patient": group} for record in image_records(IMAGES[:4], LABELS[:4])])
    with pytest.raises(
        TrainerError,
        match=rf"a\.tfrecord, the record at byte 0: the feature patient .*tfRecord\.groupKey\) is {words}; expected",
    ):
        split_of(tmp_path, **RECORDS)


def shared_table(folder: Path) -> dict[str, Any]:
    write_table(folder)
    (folder / "validation").mkdir()
    (folder / "validation" / "b.csv").write_text("age,patient,label\n1,P-7,0\n2,P-77,1")
    return {**TABLE, "csv": {"groupColumn": "patient", "files": "a.csv", "validationFiles": "validation/*.csv"}}


def shared_records(folder: Path) -> dict[str, Any]:
    write_records(folder)
    names = {"files": "a.tfrecord", "validationFiles": "b.tfrecord"}
    return {**RECORDS, "tfRecord": {"groupKey": "patient", **names}}


def shared_folders(folder: Path) -> dict[str, Any]:
    write_folders(folder / "train")
    for name in ("ill", "well"):
        place = folder / "val" / name / f"patient-{'7' if name == 'ill' else '77'}"
        place.mkdir(parents=True)
        (place / "1.png").write_bytes(png(MARKED[0][..., None]))
    return {**FOLDERS, "imageFolder": {"groupFolders": True, "folder": "train", "validationFolder": "val"}}


@pytest.mark.parametrize(
    ("write", "named"),
    [
        (shared_table, r"1 groups .*: P-7\."),
        (shared_records, r"20 groups .*: P-0, P-1, "),
        (shared_folders, r"1 groups .*: patient-7\."),
    ],
    ids=["CSV", "TFRecord", "ImageFolder"],
)
def test_a_group_on_both_sides_of_validation_of_its_own_is_refused(tmp_path: Path, write: Any, named: str) -> None:
    data = {**write(tmp_path), "validationFraction": "0.1"}
    with pytest.raises(TrainerError, match=f"{named}.*Move all samples of a group to one side"):
        split_of(tmp_path, **data)
