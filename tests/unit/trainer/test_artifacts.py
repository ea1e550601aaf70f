"""Measuring models: of known answers, on samples that fill no whole number of batches."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.unit.trainer.answering import Answering
from trainingrun_trainer.artifacts.measure import TIMED_RUNS, measure
from trainingrun_trainer.artifacts.predictions import MOST_MISTAKES
from trainingrun_trainer.artifacts.size import gzipped, packed
from trainingrun_trainer.data.at_once import MOST_BYTES, MOST_SAMPLES, samples_at_once
from trainingrun_trainer.data.dataset import Dataset
from trainingrun_trainer.data.feed import InMemory

SAMPLES = 2 * MOST_SAMPLES + 7
INPUTS = np.arange(SAMPLES, dtype=np.float32).reshape(-1, 1)
LABELS = np.arange(SAMPLES) % 2
FEED = InMemory(Dataset(INPUTS, LABELS, classes=2))


def sure(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """The right answer, three nats above the other, but for samples from 500 on."""
    own = (samples.ravel() % 2 == 1) ^ (samples.ravel() >= 500)
    return np.where(np.stack([~own, own], axis=1), 3.0, 0.0).astype(np.float32)


def test_every_sample_counts_once() -> None:
    found, predictions = measure(b"model", Answering(sure), FEED)
    right, wrong = 500, SAMPLES - 500
    assert found.accuracy == right / SAMPLES
    assert found.loss == pytest.approx((right * np.log1p(np.exp(-3)) + wrong * np.log1p(np.exp(3))) / SAMPLES)
    assert [answer.position for answer in predictions.mistakes] == list(range(500, 500 + MOST_MISTAKES))


def test_huge_logits_have_a_loss() -> None:
    found, _ = measure(b"model", Answering(lambda samples: 1e4 * sure(samples)), FEED)
    assert found.loss == pytest.approx(3e4 * (SAMPLES - 500) / SAMPLES)


def test_sizes_are_those_of_the_file() -> None:
    content = b"0" * 10_000
    found, _ = measure(content, Answering(sure), FEED)
    assert (found.size_bytes, found.gzipped_bytes) == (10_000, gzipped(content))
    assert 20 < found.gzipped_bytes < 100


def test_latency_is_that_of_one_sample() -> None:
    runtime = Answering(sure)
    found, _ = measure(b"model", runtime, FEED)
    sizes = runtime.sizes
    assert sizes[:3] == [MOST_SAMPLES, MOST_SAMPLES, 7]
    assert set(sizes[3:]) == {1}
    assert len(sizes) - 3 > TIMED_RUNS / 2
    assert 0 < found.latency.median <= found.latency.p95


def test_every_batch_is_reported_and_every_part_of_a_gzip() -> None:
    reports: list[str] = []
    measure(b"model", Answering(sure), FEED, report=lambda: reports.append("a part"))
    assert len(reports) == 3 + 1


@pytest.mark.parametrize(
    ("shape", "widest", "at_once"),
    [
        ((28, 28, 1), 0, MOST_SAMPLES),
        ((512, 512, 3), 0, 21),
        ((28, 28, 1), 2**20, 64),
        ((512, 512, 3), 2**24, 4),
        ((20,), MOST_BYTES + 1, 1),
        ((4096, 4096, 3), 0, 1),
    ],
)
def test_what_is_measured_at_once_is_bounded_by_bytes(shape: tuple[int, ...], widest: int, at_once: int) -> None:
    samples = np.broadcast_to(np.uint8(1), (1, *shape))
    assert samples_at_once(InMemory(Dataset(samples, np.zeros(1, int), classes=2)), widest=widest) == at_once


@pytest.mark.parametrize(("widest", "sizes"), [(0, [5]), (MOST_BYTES // 2, [2, 2, 1]), (MOST_BYTES, [1, 1, 1, 1, 1])])
def test_a_wide_network_is_measured_on_few_samples_at_once(widest: int, sizes: list[int]) -> None:
    runtime = Answering(sure, widest=widest)
    _, predictions = measure(b"model", runtime, InMemory(Dataset(INPUTS[:5], LABELS[:5], classes=2)))
    assert runtime.sizes[: len(sizes)] == sizes
    assert sum(predictions.counts.values()) == 5


@pytest.mark.parametrize("parts", [0, 1, 2.5])
def test_a_gzip_does_not_depend_on_the_moment_and_is_reported_in_parts(parts: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainingrun_trainer.artifacts.size.PART_BYTES", 10_000)
    reports: list[str] = []
    content = np.random.default_rng(1).integers(0, 9, int(parts * 10_000), dtype=np.uint8).tobytes()
    assert gzipped(content, report=lambda: reports.append("a part")) == len(gzip.compress(content, 9, mtime=0))
    assert len(reports) == np.ceil(parts)


def test_a_folder_is_packed_alike_wherever_and_whenever_it_was_made(tmp_path: Path) -> None:
    def folder(name: str, order: tuple[str, ...]) -> Path:
        for file in order:
            path = tmp_path / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(file)
        return tmp_path / name

    one, other = folder("one", ("b", "a/c")), folder("other", ("a/c", "b"))
    (other / "b").touch()
    assert packed(one) == packed(other)
    (other / "b").write_text("changed")
    assert packed(one) != packed(other)
