"""Features are standardised by the training samples alone, and every model that is exported does the same to raw ones."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from tests.unit.trainer.stages_alone import alone
from tests.unit.trainer.writing import CLAIM, write_tf_record
from trainingrun.api import QuantizationMode
from trainingrun_trainer.artifacts.runtime import TFLite, interpreter, keras_runtime
from trainingrun_trainer.compression.convert import to_tflite
from trainingrun_trainer.data.dataset import dataset
from trainingrun_trainer.data.feed import InMemory, Split
from trainingrun_trainer.data.normalization import BOUND, Normalization, Statistics
from trainingrun_trainer.data.raw import raw_samples
from trainingrun_trainer.data.source import load_split
from trainingrun_trainer.data.standardization import normalization_of
from trainingrun_trainer.errors import TrainerError
from trainingrun_trainer.parallel.single import SingleProcess
from trainingrun_trainer.patience import Patience
from trainingrun_trainer.stages.saved_model import save_model

COLUMNS = ((50_000.0, 20_000.0), (1.6e9, 1e7), (0.003, 0.001), (-7.0, 1e-6), (4e20, 1e20))
"""Mean and deviation of columns that could not be more different."""


def table(count: int = 400) -> np.ndarray[Any, Any]:
    random = np.random.default_rng(1)
    return np.stack([random.normal(*column, count) for column in COLUMNS], axis=1).astype(np.float32)


def standardization(samples: np.ndarray[Any, Any]) -> Normalization:
    return Statistics.of(samples).standardization()


@pytest.mark.parametrize("sizes", [[400], [1, 399], [100, 0, 300], [13] * 30 + [10]])
def test_statistics_do_not_depend_on_how_samples_are_dealt(sizes: list[int]) -> None:
    samples = table()
    found = Statistics.none(samples.shape[1])
    for part in np.split(samples, np.cumsum(sizes)[:-1]):
        share = Statistics.of(part) if len(part) else Statistics.none(samples.shape[1])
        found = found.joined(Statistics.decode(share.encode()))
    exact = samples.astype(np.float64)
    assert np.allclose(found.mean, exact.mean(axis=0), rtol=1e-12)
    assert np.allclose(np.sqrt(found.squares / found.count), exact.std(axis=0), rtol=1e-9)
    assert np.array_equal([found.lowest, found.highest], [exact.min(axis=0), exact.max(axis=0)])


@pytest.mark.parametrize("value", [0.0, 0.1, 1e9, -3e38])
def test_what_never_varied_says_nothing_ever_after(value: float) -> None:
    samples = np.stack([np.full(30, value), np.arange(30)], axis=1).astype(np.float32)
    found = standardization(samples)(np.array([[value, 0], [value / 2 + 77, 29]], np.float32)).numpy()
    assert found[:, 0].tolist() == [0, 0]
    assert found[:, 1] == pytest.approx([-1.675, 1.675], abs=1e-3)


@pytest.mark.parametrize("far", [1e3, -1e30, 3e38])
def test_a_far_value_is_bounded(far: float) -> None:
    found = standardization(table())(np.array([[far, 1.6e9, 0.003, -7, 4e20]], np.float32)).numpy()
    assert np.isfinite(found).all()
    assert np.abs(found).max() <= BOUND


def mlp() -> Any:
    """As the built-in one begins."""
    layers = [tf_keras.layers.Flatten(), tf_keras.layers.Dense(16, activation="relu"), tf_keras.layers.Dense(3)]
    return tf_keras.Sequential([tf_keras.Input((5,)), *layers])


def dense() -> Any:
    """Whose first operation has weights."""
    return tf_keras.Sequential([tf_keras.Input((5,)), tf_keras.layers.Dense(3)])


def skipping() -> Any:
    """Whose input is taken by two layers."""
    inputs = tf_keras.Input((5,))
    joined = tf_keras.layers.Concatenate()([inputs, tf_keras.layers.Dense(4, activation="relu")(inputs)])
    return tf_keras.Model(inputs, tf_keras.layers.Dense(3)(joined))


MODELS = [
    *((mlp, mode) for mode in (None, QuantizationMode.FLOAT16, QuantizationMode.DYNAMIC_RANGE, QuantizationMode.INT8)),
    *((build, mode) for build in (dense, skipping) for mode in (None, QuantizationMode.INT8)),
]


@pytest.mark.parametrize(("build", "mode"), MODELS)
def test_small_columns_beside_large_ones_survive_in_every_mode(build: Callable[[], Any], mode: QuantizationMode | None) -> None:
    tf_keras.utils.set_random_seed(1)
    network, samples = build(), table()
    normalization = standardization(samples)
    model = to_tflite(network, shape=(5,), normalization=normalization, mode=mode, calibration=samples)
    expected = keras_runtime(network, shape=(5,), normalization=normalization)(samples)
    found = TFLite(model)(samples)
    assert np.abs(found - expected).max() < (0.02 if mode is not QuantizationMode.INT8 else 0.06) * np.abs(expected).max()
    assert np.array_equal(TFLite(model)(samples[:1]), found[:1])
    assert interpreter(model).get_input_details()[0]["dtype"] is np.float32


def test_a_network_that_has_learnt_eight_bits_takes_raw_features() -> None:
    from trainingrun_trainer.compression.aware import aware_of_quantization

    samples = table()
    normalization, aware = standardization(samples), aware_of_quantization(mlp())
    aware(normalization(samples), training=True)  # the ranges
    mode = QuantizationMode.INT8_AWARE
    model = to_tflite(aware, shape=(5,), normalization=normalization, mode=mode, calibration=samples[:100])
    expected = keras_runtime(aware, shape=(5,), normalization=normalization)(samples)
    assert np.abs(TFLite(model)(samples) - expected).max() < 0.06 * np.abs(expected).max()


def test_the_saved_model_takes_raw_features(tmp_path: Path) -> None:
    samples, network = table(), mlp()
    feed = InMemory(dataset(samples, np.arange(400) % 3, where="here"))
    feed.normalization = standardization(samples)
    save_model(network, split=Split(feed, feed, feed), folder=tmp_path, patience=Patience())
    found = tf.saved_model.load(str(tmp_path)).signatures["serving_default"](samples=tf.constant(samples))["probabilities"]
    expected = tf.nn.softmax(network(feed.normalization(samples)))
    assert np.abs(found - expected).max() < 1e-5


class OfTwo(SingleProcess):
    """One of two ranks, whose other has found what it is told."""

    size = 2

    def __init__(self, rank: int, other: Statistics) -> None:
        super().__init__()
        self.rank, self._other = rank, other

    def gather(self, values: Any) -> Any:
        """Own statistics, and those of the other rank."""
        both = [values, self._other.encode()]
        return np.stack(both if self.rank == 0 else both[::-1])


class Listed:
    """A feed whose samples are read one by one: not in memory as a whole."""

    def __init__(self, samples: np.ndarray[Any, Any]) -> None:
        self._inner = InMemory(dataset(samples, np.arange(len(samples)) % 2, where="here"))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def __len__(self) -> int:
        return len(self._inner)


@pytest.mark.parametrize("make", [Listed, lambda samples: InMemory(dataset(samples, np.arange(len(samples)) % 2, where="a"))])
def test_ranks_find_the_same_together(tmp_path: Path, make: Callable[[Any], Any]) -> None:
    samples, whole = table(301), standardization(table(301))
    is_shared = make is Listed
    shares: Sequence[Statistics] = (
        [Statistics.of(samples[rank::2]) for rank in (0, 1)] if is_shared else [Statistics.of(samples), Statistics.none(5)]
    )
    context = alone(tmp_path, data={"source": CLAIM, "format": "NPZ", "normalization": "Standardize"}).context
    found = [normalization_of(replace(context, gang=OfTwo(rank, shares[1 - rank])), make(samples)) for rank in (0, 1)]
    numbers = [np.array([each.mean, each.scale]) for each in found]
    assert np.array_equal(numbers[0], numbers[1])
    assert np.allclose(numbers[0], np.array([whole.mean, whole.scale]))


def loaded(folder: Path, samples: np.ndarray[Any, Any], **data: Any) -> Split:
    np.savez(folder / "a.npz", x=samples, y=np.arange(len(samples)) % 2)
    npz = {"file": "a.npz", "images": "x", "labels": "y"}
    settings = {"source": CLAIM, "format": "NPZ", "npz": npz, "testFraction": "0.2", **data}
    return load_split(alone(folder, environment={"TRAININGRUN_DATA_MOUNT": str(folder)}, data=settings).context)[0]


def test_only_training_samples_are_looked_at(tmp_path: Path) -> None:
    parts = loaded(tmp_path, table(50), normalization="Standardize")
    samples = parts.training._inputs.numpy()  # type: ignore[attr-defined]  # a feed in memory, which shows them to nobody else
    assert np.allclose(np.array(parts.training.normalization.mean), samples.astype(np.float64).mean(axis=0), rtol=1e-6)
    assert len({id(feed.normalization) for feed in (parts.training, parts.validation, parts.test)}) == 1


@pytest.mark.parametrize("limit", ["1000", "1000000000"], ids=["streamed", "in memory"])
def test_vectors_of_records_are_standardised_wherever_they_are(tmp_path: Path, limit: str) -> None:
    samples = table(60)
    write_tf_record(tmp_path / "a.tfrecord", [{"x": row.tolist(), "y": place % 2} for place, row in enumerate(samples)])
    record = {"format": "TFRecord", "tfRecord": {"inputKey": "x", "labelKey": "y"}}
    environment = {"TRAININGRUN_DATA_MOUNT": str(tmp_path), "TRAININGRUN_MEMORY_LIMIT": limit}
    data = {"source": CLAIM, **record, "normalization": "Standardize"}
    split, about = load_split(alone(tmp_path, environment=environment, data=data).context)
    assert about.is_streamed == (limit == "1000")
    chosen = np.concatenate([each for each, _ in raw_samples(split.training, batch=16)])
    assert np.allclose(np.array(split.training.normalization.mean), chosen.astype(np.float64).mean(axis=0), rtol=1e-5)
    assert split.training.normalization(chosen).numpy().std(axis=0) == pytest.approx([1] * 5, rel=1e-3)


@pytest.mark.parametrize("settings", [{}, {"normalization": "None"}])
def test_what_nobody_asked_for_is_not_done(tmp_path: Path, settings: dict[str, str]) -> None:
    normalization = loaded(tmp_path, table(50), **settings).training.normalization
    assert (normalization.mean, normalization.scale) == (None, 1.0)


def test_pictures_are_not_standardised(tmp_path: Path) -> None:
    with pytest.raises(TrainerError, match=r"for vectors of features, but the samples have the shape \[4, 4, 1\]: remove it"):
        loaded(tmp_path, np.full((50, 4, 4), 255, np.uint8), normalization="Standardize")
