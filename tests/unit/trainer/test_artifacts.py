"""Measuring models: of known answers, on samples that fill no whole number of batches."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from trainingrun_trainer.artifacts.measure import BATCH, TIMED_RUNS, measure
from trainingrun_trainer.artifacts.predictions import MOST_MISTAKES
from trainingrun_trainer.artifacts.size import gzipped, packed
from trainingrun_trainer.data.dataset import Dataset
from trainingrun_trainer.data.feed import InMemory

SAMPLES = 2 * BATCH + 7
INPUTS = np.arange(SAMPLES, dtype=np.float32).reshape(-1, 1)
LABELS = np.arange(SAMPLES) % 2
FEED = InMemory(Dataset(INPUTS, LABELS, classes=2))


def sure(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """The right answer, three nats above the other, but for samples from 500 on."""
    own = (samples.ravel() % 2 == 1) ^ (samples.ravel() >= 500)
    return np.where(np.stack([~own, own], axis=1), 3.0, 0.0).astype(np.float32)


def test_every_sample_counts_once() -> None:
    found, predictions = measure(b"model", sure, FEED)
    right, wrong = 500, SAMPLES - 500
    assert found.accuracy == right / SAMPLES
    assert found.loss == pytest.approx((right * np.log1p(np.exp(-3)) + wrong * np.log1p(np.exp(3))) / SAMPLES)
    assert [answer.position for answer in predictions.mistakes] == list(range(500, 500 + MOST_MISTAKES))


def test_huge_logits_have_a_loss() -> None:
    found, _ = measure(b"model", lambda samples: 1e4 * sure(samples), FEED)
    assert found.loss == pytest.approx(3e4 * (SAMPLES - 500) / SAMPLES)


def test_sizes_are_those_of_the_file() -> None:
    content = b"0" * 10_000
    found, _ = measure(content, sure, FEED)
    assert (found.size_bytes, found.gzipped_bytes) == (10_000, gzipped(content))
    assert 20 < found.gzipped_bytes < 100


def test_latency_is_that_of_one_sample() -> None:
    sizes: list[int] = []

    def remembering(samples: NDArray[np.float32]) -> NDArray[np.float32]:
        sizes.append(len(samples))
        return sure(samples)

    found, _ = measure(b"model", remembering, FEED)
    assert sizes[:3] == [BATCH, BATCH, 7]
    assert set(sizes[3:]) == {1}
    assert len(sizes) - 3 > TIMED_RUNS / 2
    assert 0 < found.latency.median <= found.latency.p95


def test_every_batch_is_reported() -> None:
    reports: list[str] = []
    measure(b"model", sure, FEED, report=lambda: reports.append("a batch"))
    assert len(reports) == 3


def test_a_gzip_does_not_depend_on_the_moment() -> None:
    content = bytes(range(256)) * 10
    assert gzipped(content) == len(gzip.compress(content, 9, mtime=0))


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
