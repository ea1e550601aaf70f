"""The stage that quantizes, on samples that are bytes, as pictures are."""

from pathlib import Path

import numpy as np

from tests.unit.trainer.stages_alone import alone
from trainingrun_trainer.artifacts.runtime import TFLite, keras_runtime
from trainingrun_trainer.data.dataset import dataset
from trainingrun_trainer.data.feed import InMemory, Split
from trainingrun_trainer.stages.quantize import quantize

SHAPE = (8, 8, 1)


def test_a_model_takes_the_bytes_that_the_network_was_trained_on(tmp_path: Path) -> None:
    samples = np.random.default_rng(1).integers(0, 256, (50, *SHAPE), dtype=np.uint8)
    feed = InMemory(dataset(samples, np.arange(50) % 2, where="here"))
    split, rank = Split(feed, feed, feed), alone(tmp_path)
    network = rank.network(split)
    expected = keras_runtime(network, shape=SHAPE, normalization=feed.normalization)(samples.astype(np.float32))
    found = TFLite(quantize(rank.context, network, split, name="model").tflite)(samples.astype(np.float32))
    assert np.abs(found - expected).max() < 1e-5
