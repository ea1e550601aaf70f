"""Damaged images: named together, or left out up to a bound; the same ones in memory and in a stream, on all ranks."""

import weakref
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.unit.trainer.stages_alone import alone
from tests.unit.trainer.starting import Start, result_of
from tests.unit.trainer.writing import CLAIM, digits, image_records, png, write_image_folder, write_tf_record
from trainingrun_trainer.data import loading, streaming
from trainingrun_trainer.data.dataset import Dataset
from trainingrun_trainer.data.feed import Feed, InMemory, Split
from trainingrun_trainer.data.loading import without
from trainingrun_trainer.data.parts import Parts
from trainingrun_trainer.data.raw import raw_samples
from trainingrun_trainer.data.source import About, load_split
from trainingrun_trainer.data.streaming import Streamed
from trainingrun_trainer.errors import TrainerError

IMAGES, LABELS = digits(120)
BROKEN = {3: b"", 40: b"<html>not found</html>", 77: png(IMAGES[77])[:-30], 101: bytes(50)}
"""Damaged images by the position of the sample."""
SIZE = {"height": 28, "width": 28, "channels": 1}
LITTLE = {"TRAININGRUN_MEMORY_LIMIT": "50000"}
"""So little memory that the samples do not fit."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The digits as files and as records, four of them damaged."""
    made = tmp_path_factory.mktemp("data")
    write_image_folder(made / "images", IMAGES, LABELS)
    records = image_records(IMAGES, LABELS)
    for position, content in BROKEN.items():
        (made / "images" / str(LABELS[position]) / f"{position:05}.png").write_bytes(content)
        records[position]["image/encoded"] = content
    write_tf_record(made / "records" / "a.tfrecord", records)
    return made


def loaded(source: Path, output: Path, *, environment: dict[str, str] | None = None, **data: Any) -> tuple[Split, About]:
    """The split of a folder of images, as one rank alone loads it."""
    mount = {"TRAININGRUN_DATA_MOUNT": str(source), **(environment or {})}
    data = {"source": CLAIM, "format": "ImageFolder", "image": SIZE, "testFraction": "0.1", **data}
    return load_split(alone(output, environment=mount, data=data).context)


FORMATS = {"ImageFolder": "images", "TFRecord": "records"}
MEMORY = {"memory": {}, "stream": LITTLE}


def parts_of(split: Split) -> tuple[Feed, Feed, Feed]:
    return split.training, split.validation, split.test


def samples_of(feed: Feed) -> list[Any]:
    """All samples of a part, in their order."""
    return [(inputs.tobytes(), labels.tobytes()) for inputs, labels in raw_samples(feed, batch=32)]


def test_one_part_is_an_array_at_a_time(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arrays: list[weakref.ref[Any]] = []

    def noted(samples: Dataset) -> InMemory:
        assert [array() for array in arrays] == [None] * len(arrays)
        arrays.append(weakref.ref(samples.inputs))
        return InMemory(samples)

    monkeypatch.setattr(loading, "InMemory", noted)
    loaded(folder / "images", tmp_path, damaged="Skip")
    assert len(arrays) == 3


@pytest.mark.parametrize("kind", FORMATS)
def test_damaged_images_of_all_parts_are_named_together(folder: Path, tmp_path: Path, kind: str) -> None:
    with pytest.raises(TrainerError) as problem:
        loaded(folder / FORMATS[kind], tmp_path, format=kind)
    text = str(problem.value)
    assert text.startswith("4 samples are damaged: ")
    assert all(words in text for words in ("is empty", "a web page: the download has failed", "Invalid PNG", "bytes are zero"))
    assert text.endswith("spec.data.damaged: Skip leaves out what is damaged.")
    assert problem.value.exit_code == 65


@pytest.mark.parametrize("kind", FORMATS)
def test_damaged_images_are_left_out_of_memory_and_stream_alike(folder: Path, tmp_path: Path, kind: str) -> None:
    found = [
        loaded(folder / FORMATS[kind], tmp_path, format=kind, damaged="Skip", maximumDamaged=4, environment=environment)
        for environment in MEMORY.values()
    ]
    (memory, about), (stream, also) = found
    assert (about.is_streamed, also.is_streamed) == (False, True)
    assert [len(feed) for feed in parts_of(memory)] == [len(feed) for feed in parts_of(stream)]
    assert sum(len(feed) for feed in parts_of(memory)) == 116
    for one, other in zip(parts_of(memory), parts_of(stream), strict=True):
        assert samples_of(one) == samples_of(other)
    assert (about.left_out, about.damaged) == (also.left_out, also.damaged)
    (left,) = about.left_out
    assert (left.kind, left.count, len(about.damaged)) == ("damaged images", 4, 4)


PARTS = Parts(training=np.array([0, 2, 4, 5, 7]), validation=np.array([1, 6]), test=np.array([3]))
NAMED = SimpleNamespace(labels=np.array([0, 0, 1, 0, 1, 0, 1, 0]), class_names=("cat", "dog"))


def left_of(*damaged: int) -> list[list[int]]:
    """The parts without these positions."""
    kept = without(PARTS, dict.fromkeys(damaged, "is empty"), data=NAMED)
    return [positions.tolist() for positions in kept]


@pytest.mark.parametrize(
    ("damaged", "expected"),
    [((), [[0, 2, 4, 5, 7], [1, 6], [3]]), ((4, 1), [[0, 2, 5, 7], [6], [3]]), ((0, 7), [[2, 4, 5], [1, 6], [3]])],
)
def test_what_is_left_out_moves_no_other_sample(damaged: tuple[int, ...], expected: list[list[int]]) -> None:
    assert left_of(*damaged) == expected


@pytest.mark.parametrize(
    ("damaged", "words"),
    [
        ((3,), "All 1 samples for test are damaged"),
        ((1, 6), "All 2 samples for validation are damaged"),
        ((2, 4), "All samples of class dog that would be trained on are damaged"),
        ((0, 5, 7), "All samples of class cat that would be trained on are damaged"),
    ],
)
def test_a_part_or_a_class_of_which_nothing_is_left_is_refused(damaged: tuple[int, ...], words: str) -> None:
    with pytest.raises(TrainerError, match=words):
        left_of(*damaged)


@pytest.mark.parametrize("environment", MEMORY.values(), ids=MEMORY)
def test_only_so_many_may_be_left_out(folder: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    with pytest.raises(
        TrainerError, match=r"4 samples are damaged: .* more than may be left out: spec.data.maximumDamaged is 3"
    ):
        loaded(folder / "images", tmp_path, environment=environment, damaged="Skip", maximumDamaged=3)


def training_samples(split: Split) -> list[int]:
    """Which samples are trained on, by the numbers in the names of their files."""
    assert isinstance(split.training, Streamed)
    return [int(Path(split.training.data.name(place)).stem) for place in split.training.positions.tolist()]


def test_a_stream_that_meets_a_damaged_image_names_those_that_would_have_come_next(folder: Path, tmp_path: Path) -> None:
    split, _ = loaded(folder / "images", tmp_path, environment=LITTLE)
    with pytest.raises(TrainerError) as problem:
        samples_of(split.training)
    there = len(set(BROKEN) & set(training_samples(split)))
    assert there > 1
    assert str(problem.value).startswith(f"{there} samples are damaged: ")


def test_a_stream_looks_at_a_bounded_number_of_those(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "LOOKED_AT_AFTER", 4)
    split, _ = loaded(folder / "images", tmp_path, environment=LITTLE)
    with pytest.raises(TrainerError) as problem:
        list(raw_samples(split.training, batch=4))
    assert not str(problem.value).startswith("4 samples")


def test_the_first_image_may_be_damaged(tmp_path: Path) -> None:
    write_image_folder(tmp_path / "data", IMAGES, LABELS)
    first, second, *_ = sorted((tmp_path / "data" / "0").iterdir())
    for path in (first, second):
        path.write_bytes(b"")
    split, about = loaded(tmp_path / "data", tmp_path, damaged="Skip", image=None)
    assert (split.training.shape, about.left_out[0].count) == ((28, 28, 1), 2)


def test_two_ranks_leave_out_the_same_and_say_so(
    start: Start, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAININGRUN_MEMORY_LIMIT", LITTLE["TRAININGRUN_MEMORY_LIMIT"])
    (tmp_path / "data").symlink_to(folder / "images")
    records = start(
        data={"source": CLAIM, "format": "ImageFolder", "image": SIZE, "damaged": "Skip"},
        training={"epochs": 1, "batchSize": 16},
    ).wait()
    assert [record.exit_code for record in records] == [0, 0]
    said = result_of(tmp_path)["data"]
    assert sum(said["samples"].values()) == 116
    assert (said["leftOut"][0]["kind"], said["leftOut"][0]["count"], len(said["damaged"])) == ("damaged images", 4, 4)
    assert "4 damaged images" in (tmp_path / "output" / "run" / "report.html").read_text()
