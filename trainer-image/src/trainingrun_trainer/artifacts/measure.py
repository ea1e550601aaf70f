"""Accuracy, loss, size and latency of a model, with its own runtime."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from trainingrun_trainer.artifacts.measurements import Latency, Measurements
from trainingrun_trainer.artifacts.predictions import Predictions
from trainingrun_trainer.artifacts.runtime import Runtime, Samples
from trainingrun_trainer.artifacts.size import gzipped
from trainingrun_trainer.data.at_once import samples_at_once
from trainingrun_trainer.data.feed import Feed
from trainingrun_trainer.data.raw import raw_samples

WARM_UP_RUNS = 10
TIMED_RUNS = 200
TIMED_SECONDS = 2.0
"""Enough, where a run takes long; but at least `FEWEST_RUNS`."""
FEWEST_RUNS = 5


@dataclass(frozen=True)
class Quality:
    """How well a model answers."""

    accuracy: float
    loss: float
    """Mean cross-entropy in nats."""


def measure(
    content: bytes, runtime: Runtime, feed: Feed, *, report: Callable[[], None] = lambda: None
) -> tuple[Measurements, Predictions]:
    """Measure a model whose file is `content` on all samples of a feed; `report` is called after every part of that.

    All samples count, however many batches they make. Latency is that of the first sample.
    """
    quality, predictions = _quality(runtime, feed, report=report)
    sample, _ = next(raw_samples(feed, batch=1, positions=np.array([0])))
    measured = Measurements(
        accuracy=quality.accuracy,
        loss=quality.loss,
        size_bytes=len(content),
        gzipped_bytes=gzipped(content, report=report),
        latency=_latency(runtime, sample),
    )
    return measured, predictions


def _quality(runtime: Runtime, feed: Feed, *, report: Callable[[], None]) -> tuple[Quality, Predictions]:
    correct, loss, done, predictions = 0, 0.0, 0, Predictions()
    for samples, labels in raw_samples(feed, batch=samples_at_once(feed, widest=runtime.widest)):
        logits = runtime(samples).astype(np.float64)
        predicted = logits.argmax(axis=1)
        shifted = logits - logits.max(axis=1, keepdims=True)
        partition = np.exp(shifted).sum(axis=1)
        correct += int((predicted == labels).sum())
        loss += float((np.log(partition) - shifted[np.arange(len(labels)), labels]).sum())
        positions = np.arange(done, done + len(labels))
        predictions.add(positions, truths=labels, predicted=predicted, probabilities=1 / partition)
        done += len(labels)
        report()
    return Quality(accuracy=correct / len(feed), loss=loss / len(feed)), predictions


def _latency(runtime: Runtime, sample: Samples, clock: Callable[[], float] = time.perf_counter) -> Latency:
    for _ in range(WARM_UP_RUNS):
        runtime(sample)
    milliseconds: list[float] = []
    began = clock()
    while len(milliseconds) < TIMED_RUNS and (len(milliseconds) < FEWEST_RUNS or clock() - began < TIMED_SECONDS):
        started = clock()
        runtime(sample)
        milliseconds.append(1000 * (clock() - started))
    ordered = sorted(milliseconds)
    return Latency(median=float(np.median(ordered)), p95=ordered[math.ceil(0.95 * len(ordered)) - 1])
