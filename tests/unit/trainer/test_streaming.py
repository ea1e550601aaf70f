"""Data that is read while it is trained on: the same batches as from memory, a bounded number of bytes ahead."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.trainer.stages_alone import Alone, alone
from tests.unit.trainer.starting import Start, result_of
from tests.unit.trainer.writing import CLAIM, digits, image_records, png, write_image_folder, write_tf_record
from tests.waiting import wait_for
from trainingrun.api import Augmentation
from trainingrun_trainer.data.dataset import Dataset
from trainingrun_trainer.data.encoded import Encoded, Positions
from trainingrun_trainer.data.feed import Batches, Feed
from trainingrun_trainer.data.shard import Shard, epoch_order, shard
from trainingrun_trainer.data.source import About, load_split, open_data
from trainingrun_trainer.data.streaming import Streamed
from trainingrun_trainer.errors import TrainerError
from trainingrun_trainer.stages.evaluate import evaluate
from trainingrun_trainer.stages.reporting.pictures import augmented, mistakes
from trainingrun_trainer.stages.train import train

IMAGES, LABELS = digits(300)
STREAMED = {"TRAININGRUN_MEMORY_LIMIT": "100000"}
"""So little that 300 digits do not fit."""
EPOCH = {"epochs": 1, "batchSize": 16}
TURNED = Augmentation.model_validate({"rotationDegrees": "20"})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 digits as images in folders, and as records."""
    made = tmp_path_factory.mktemp("data")
    write_image_folder(made / "images", IMAGES, LABELS)
    write_tf_record(made / "records" / "a.tfrecord", image_records(IMAGES, LABELS))
    return made


def a_rank(folder: Path, output: Path, **environment: str) -> Alone:
    """One rank alone on the digits as records."""
    data = {"source": {"persistentVolumeClaim": {"claimName": "d", "path": "records"}}, "format": "TFRecord"}
    environment = {"TRAININGRUN_DATA_MOUNT": str(folder), **environment}
    return alone(output, environment=environment, data=data, training=EPOCH)


def samples_of(batches: Batches) -> tuple[Any, Any]:
    """Inputs [steps, batch, ...] and labels of batches, as steps see them."""
    return batches.inputs.numpy()[batches.rows], batches.labels.numpy()[batches.rows]


def real(batches: Batches, part: Shard, *, first: int) -> tuple[Any, Any]:
    """What has weight."""
    inputs, labels = samples_of(batches)
    weight = part.weights[first : first + len(labels)] > 0
    return inputs[weight], labels[weight]


@pytest.mark.parametrize("kind", ["ImageFolder", "TFRecord"])
def test_a_stream_deals_what_memory_deals(folder: Path, tmp_path: Path, kind: str) -> None:
    path = {"ImageFolder": "images", "TFRecord": "records"}[kind]
    data = {"source": {"persistentVolumeClaim": {"claimName": "d", "path": path}}, "format": kind, "testFraction": "0.1"}
    mount = {"TRAININGRUN_DATA_MOUNT": str(folder)}
    memory, about = load_split(alone(tmp_path, environment=mount, data=data).context)
    stream, streamed = load_split(alone(tmp_path, environment={**mount, **STREAMED}, data=data).context)
    assert (about.is_streamed, streamed.is_streamed) == (False, True)
    assert (about.sha256, about.class_names) == (streamed.sha256, streamed.class_names)
    for name in ("training", "validation", "test"):
        one, other = getattr(memory, name), getattr(stream, name)
        assert all(getattr(one, each) == getattr(other, each) for each in ("shape", "classes", "dtype"))
        assert one.normalization.scale == other.normalization.scale
        part = shard(len(one), batch=7, rank=1, size=3, order=epoch_order(len(one), seed=1, epoch=0))
        for (inputs, labels), (also, too) in zip(dealt(one, part), dealt(other, part), strict=True):
            assert (inputs == also).all()
            assert (labels == too).all()


def dealt(feed: Feed, part: Shard, *, first: int = 0, at_once: int = 2) -> list[tuple[Any, Any]]:
    """All runs of steps of a shard from `first` on."""
    runs = []
    with feed.deal(part, first=first) as dealer:
        while first < part.steps:
            steps = min(at_once, part.steps - first, dealer.most_steps)
            runs.append(real(dealer.take(steps), part, first=first))
            first += steps
    return runs


def test_an_epoch_from_a_stream_ends_as_one_from_memory(folder: Path, tmp_path: Path) -> None:
    ended = []
    for name, environment in (("memory", {}), ("stream", STREAMED)):
        rank = a_rank(folder, tmp_path / name, **environment)
        split, _ = load_split(rank.context)
        state = train(rank.context, rank.network(split), split)
        ended.append(state.history[0])
    assert ended[0] == pytest.approx(ended[1], rel=1e-6)


def a_stream(folder: Path, tmp_path: Path, **options: Any) -> Streamed:
    """All records as one part."""
    data = open_data(a_rank(folder, tmp_path).context)
    assert not isinstance(data, Dataset)
    return Streamed(data, np.arange(len(data)), threads=2, **options)


def test_the_report_shows_the_same_of_a_stream_as_of_memory(folder: Path, tmp_path: Path) -> None:
    def shown(**environment: str) -> Any:
        rank = a_rank(folder, tmp_path, **environment)
        training = rank.config.training.model_copy(update={"batch_size": 4})  # several calls
        rank.config = rank.config.model_copy(update={"training": training})
        split, _ = load_split(rank.context)
        answers = evaluate(rank.context, rank.network(split), split).predictions
        pictures = [
            *mistakes(answers.mistakes, split.validation, names=()),
            *augmented(TURNED, split.training, names=(), seed=7),
        ]
        return answers.counts, [answer.position for answer in answers.mistakes], repr(pictures)

    streamed, in_memory = shown(**STREAMED), shown()
    assert streamed == in_memory
    assert sum(streamed[0].values()) == 30


def test_to_begin_in_the_middle_is_to_go_on(folder: Path, tmp_path: Path) -> None:
    feed = a_stream(folder, tmp_path)
    part = shard(300, batch=16, rank=0, size=1, order=epoch_order(300, seed=1, epoch=1))
    whole, rest = dealt(feed, part, at_once=1), dealt(feed, part, first=11, at_once=1)
    for (inputs, labels), (also, too) in zip(whole[11:], rest, strict=True):
        assert (inputs == also).all()
        assert (labels == too).all()


def turned_over(content: bytes) -> bytes:
    """The same length, a bit flipped in the first sample."""
    return content[:60] + bytes([content[60] ^ 1]) + content[61:]


def with_other_samples(content: bytes) -> bytes:
    """The same records in another order: all of them valid."""
    length = int.from_bytes(content[:8], "little") + 16
    return content[length:] + content[:length]


CHANGES = {"a flipped bit": turned_over, "another order": with_other_samples, "cut off": lambda content: content[:80]}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_records_that_have_changed_since_they_were_listed_are_named(tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "records" / "a.tfrecord"
    write_tf_record(path, image_records(IMAGES[:40], LABELS[:40] % 2))
    data = open_data(a_rank(tmp_path, tmp_path).context)
    assert not isinstance(data, Dataset)
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(TrainerError, match=r"a\.tfrecord.* when the data was listed"):
        data.read(np.arange(3))


class Counted:
    """Data that counts the samples which have been decoded."""

    def __init__(self, inner: Encoded) -> None:
        self._inner = inner
        self.read_positions: list[int] = []
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def decode(self, contents: Sequence[bytes], *, positions: Positions) -> Any:
        with self._lock:
            self.read_positions += positions.tolist()
        return self._inner.decode(contents, positions=positions)


def test_a_stream_is_no_more_than_its_bytes_ahead(folder: Path, tmp_path: Path) -> None:
    step = 4 * 28 * 28
    feed = a_stream(folder, tmp_path, ahead_bytes=5 * step + 100)
    feed.data = counted = Counted(feed.data)
    with feed.deal(shard(300, batch=4, rank=0, size=1), first=0) as dealer:
        assert dealer.most_steps == 5
        expected = 4 * 5
        for steps in (5, 3, 1):
            read_when_idle(counted, expected)
            dealer.take(steps)
            expected += 4 * steps
        read_when_idle(counted, expected)


def read_when_idle(counted: Counted, expected: int) -> None:
    """Wait until so many samples have been read, and see that no more are."""
    wait_for(lambda: len(counted.read_positions), lambda read: read >= expected, what="samples", timeout=10, interval=0.01)
    time.sleep(0.2)
    assert len(counted.read_positions) == expected


def test_what_is_brought_into_memory_is_decoded_in_parts_of_bounded_size(folder: Path, tmp_path: Path) -> None:
    feed = a_stream(folder, tmp_path, ahead_bytes=8 * 10 * 28 * 28)
    inputs = np.empty((300, 28, 28, 1), np.uint8)
    assert sum(1 for _ in feed.into(inputs)) == 30
    assert (inputs == IMAGES).all()


def test_padding_shows_samples_again(folder: Path, tmp_path: Path) -> None:
    feed = a_stream(folder, tmp_path)
    feed.data = counted = Counted(feed.data)
    part = shard(9, batch=4, rank=1, size=2)
    with feed.deal(part, first=0) as dealer:
        assert samples_of(dealer.take(2))[0].shape == (2, 4, 28, 28, 1)
    assert sorted(counted.read_positions) == sorted([4, 5, 6, 7, *(3, 4, 5, 6)])


def test_what_is_damaged_in_the_middle_ends_the_training_with_its_name(tmp_path: Path) -> None:
    write_image_folder(tmp_path, IMAGES, LABELS)
    (tmp_path / "7" / "99999.png").write_bytes(png(IMAGES[0])[:-20])
    environment = {"TRAININGRUN_DATA_MOUNT": str(tmp_path), **STREAMED}
    rank = alone(tmp_path / "o", environment=environment, data={"source": CLAIM, "format": "ImageFolder"}, training=EPOCH)
    split, _ = load_split(rank.context)
    with pytest.raises(TrainerError, match=r"7/99999\.png is damaged or truncated"):
        train(rank.context, rank.network(split), split)


def test_a_long_listing_stops_when_it_is_told_to(folder: Path, tmp_path: Path) -> None:
    rank = replace(a_rank(folder, tmp_path), is_interrupted=lambda: True)
    with pytest.raises(TrainerError, match="Told to stop while the data was read") as told:
        load_split(rank.context)
    assert told.value.exit_code == 75


def test_reading_into_memory_is_reported_as_progress(folder: Path, tmp_path: Path) -> None:
    rank = a_rank(folder, tmp_path)
    load_split(rank.context)
    assert len(rank.notes.reports) >= 3


def as_one_rank_reads(tmp_path: Path, data: dict[str, Any]) -> About:
    """What one rank alone says about the data of a gang."""
    about: About = load_split(
        alone(tmp_path, environment={"TRAININGRUN_DATA_MOUNT": str(tmp_path / "data")}, data=data).context
    )[1]
    return about


def test_two_ranks_stream_images_and_agree(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAININGRUN_MEMORY_LIMIT", STREAMED["TRAININGRUN_MEMORY_LIMIT"])
    write_image_folder(tmp_path / "data", IMAGES, LABELS, names=[f"digit {number}" for number in range(10)])
    data = {"source": CLAIM, "format": "ImageFolder"}
    records = start(data=data, training={"epochs": 2, "batchSize": 16}).wait()
    assert [record.exit_code for record in records] == [0, 0]
    result = result_of(tmp_path)
    assert result["data"]["streamed"] is True
    assert result["data"]["classNames"] == [f"digit {number}" for number in range(10)]
    assert [sum(counts) for counts in result["training"]["samples"]] == [270, 270]
    assert result["data"]["sha256"] == as_one_rank_reads(tmp_path, data).sha256


def test_two_ranks_share_the_files_of_records(start: Start, tmp_path: Path) -> None:
    for file in range(3):
        chosen = slice(file, None, 3)
        records = [
            {"image": png(image), "kind": f"digit {label}".encode()}
            for image, label in zip(IMAGES[chosen], LABELS[chosen], strict=True)
        ]
        write_tf_record(tmp_path / "data" / f"{file}.tfrecord", records)
    data = {"source": CLAIM, "format": "TFRecord", "tfRecord": {"inputKey": "image", "labelKey": "kind"}}
    finished = start(data=data, training={"epochs": 1, "batchSize": 16}).wait()
    assert [record.exit_code for record in finished] == [0, 0]
    result = result_of(tmp_path)
    about = as_one_rank_reads(tmp_path, data)
    assert (result["data"]["sha256"], tuple(result["data"]["classNames"])) == (about.sha256, about.class_names)
