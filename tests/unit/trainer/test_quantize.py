"""TFLite models of small networks, run as they would be on a device."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from tests.unit.trainer.stages_alone import alone, easy_samples
from trainingrun.api import Compression, Model, QuantizationMode
from trainingrun_trainer.artifacts.measure import measure
from trainingrun_trainer.artifacts.runtime import TFLite, interpreter, keras_runtime
from trainingrun_trainer.compression.aware import aware_of_quantization
from trainingrun_trainer.compression.calibration import Calibration
from trainingrun_trainer.compression.check import check_compression
from trainingrun_trainer.compression.convert import to_tflite
from trainingrun_trainer.data.dataset import Dataset
from trainingrun_trainer.data.feed import InMemory, Split
from trainingrun_trainer.data.normalization import Normalization
from trainingrun_trainer.errors import TrainerError, interrupted
from trainingrun_trainer.models.networks import build
from trainingrun_trainer.stages.quantize import Quantized, quantize
from trainingrun_trainer.stages.train import train

SHAPE = (8, 8, 1)
SCALE = 1 / 255


def images(count: int = 64) -> np.ndarray[Any, Any]:
    return np.random.default_rng(1).integers(0, 256, (count, *SHAPE), dtype=np.uint8)


def a_network() -> Any:
    tf_keras.utils.set_random_seed(1)
    layers = [tf_keras.layers.Conv2D(4, 3, activation="relu"), tf_keras.layers.Flatten(), tf_keras.layers.Dense(3)]
    return tf_keras.Sequential([tf_keras.Input(SHAPE), *layers])


def converted(mode: QuantizationMode | None, network: Any = None) -> bytes:
    return to_tflite(
        network or a_network(),
        shape=SHAPE,
        normalization=Normalization(SCALE),
        mode=mode,
        calibration=images().astype(np.float32),
    )


def convert_int8(samples: Any, *, report: Any) -> None:
    layers = [tf_keras.Input(SHAPE), tf_keras.layers.Flatten(), tf_keras.layers.Dense(2)]
    to_tflite(
        tf_keras.Sequential(layers),
        shape=SHAPE,
        normalization=Normalization(SCALE),
        mode=QuantizationMode.INT8,
        calibration=samples.astype(np.float32),
        report=report,
    )


@pytest.mark.parametrize(
    ("mode", "tolerance"),
    [(None, 1e-5), (QuantizationMode.FLOAT16, 2e-3), (QuantizationMode.DYNAMIC_RANGE, 2e-2), (QuantizationMode.INT8, 4e-2)],
)
def test_a_model_answers_raw_samples_as_the_network_does(mode: QuantizationMode | None, tolerance: float) -> None:
    samples = images(50).astype(np.float32)
    expected = keras_runtime(a_network(), shape=SHAPE, normalization=Normalization(SCALE))(samples)
    found = TFLite(converted(mode))(samples)
    assert found.shape == (50, 3)
    assert np.abs(found - expected).max() < tolerance


@pytest.mark.parametrize("mode", [None, QuantizationMode.FLOAT16, QuantizationMode.INT8])
def test_a_runtime_knows_the_widest_tensor_of_its_model(mode: QuantizationMode | None) -> None:
    """That of the convolution, 6 x 6 x 4, whatever its numbers are."""
    assert TFLite(converted(mode)).widest == 6 * 6 * 4 * (1 if mode is QuantizationMode.INT8 else 4)


@pytest.mark.parametrize(
    ("network", "widest"),
    [
        (lambda samples, training: tf.reduce_mean(tf.repeat(samples, 50, axis=-1), axis=[1, 2]), 8 * 8 * 50 * 4),
        (lambda samples, training: tf.reshape(tf.cast(samples, tf.float64), [-1, 64]), 8 * 8 * 8),
        (lambda samples, training: samples[:, 0, 0], 8 * 8 * 4),
    ],
    ids=["repeated", "in doubles", "the samples themselves"],
)
def test_the_widest_tensor_of_a_network_is_known_by_its_graph(network: Any, widest: int) -> None:
    assert keras_runtime(network, shape=SHAPE, normalization=Normalization(SCALE)).widest == widest


def test_every_calibration_sample_is_reported() -> None:
    reports: list[str] = []
    convert_int8(images(7), report=lambda: reports.append("a sample"))
    assert len(reports) == 7


def no_more() -> None:
    raise MemoryError("Unable to allocate 3 GiB")


def told() -> None:
    raise interrupted("Told to stop")


def no_room() -> None:
    raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")


@pytest.mark.parametrize(("problem", "cause"), [(no_more, "OOMKilled"), (told, "Interrupted"), (no_room, "OOMKilled")])
def test_what_befalls_a_conversion_is_no_fault_of_the_network(problem: Any, cause: str) -> None:
    with pytest.raises(TrainerError) as failed:
        convert_int8(images(2), report=problem)
    assert failed.value.cause == cause


def test_one_sample_is_answered_as_it_is_among_many() -> None:
    runtime, samples = TFLite(converted(QuantizationMode.INT8)), images(9).astype(np.float32)
    together = runtime(samples)
    assert np.array_equal(np.concatenate([runtime(sample[None]) for sample in samples]), together)


def test_fewer_bits_make_a_smaller_model() -> None:
    network = tf_keras.Sequential([tf_keras.Input(SHAPE), tf_keras.layers.Flatten(), tf_keras.layers.Dense(300)])
    sizes = [len(converted(mode, network)) for mode in (None, QuantizationMode.FLOAT16, QuantizationMode.INT8)]
    assert sizes[0] > 1.8 * sizes[1]
    assert sizes[0] > 2.5 * sizes[2]


def test_full_integers_are_integers_from_end_to_end() -> None:
    model = interpreter(converted(QuantizationMode.INT8))
    kinds = {details["dtype"] for details in model.get_tensor_details()}
    assert np.float32 not in kinds
    ends = [*model.get_input_details(), *model.get_output_details()]
    assert [details["dtype"] for details in ends] == [np.int8, np.int8]
    assert model.get_input_details()[0]["quantization"][0] == pytest.approx(1.0, rel=0.02)


def test_zeros_stay_zeros_in_eight_bits() -> None:
    network = a_network()
    kernel = network.layers[-1].kernel
    kernel.assign(tf.where(tf.abs(kernel) < 0.1, 0.0, kernel))
    zeros = int(np.sum(kernel.numpy() == 0))
    assert zeros > 50
    model = interpreter(converted(QuantizationMode.INT8, network))
    [found] = [
        model.get_tensor(details["index"]) for details in model.get_tensor_details() if list(details["shape"]) == [3, 144]
    ]
    assert int(np.sum(found == 0)) >= zeros


def test_a_network_that_tensorflow_lite_has_no_words_for_is_refused_with_their_names() -> None:
    layer = tf_keras.layers.Lambda(lambda values: tf.linalg.expm(tf.reshape(values, [-1, 8, 8]))[:, 0])
    with pytest.raises(TrainerError, match=r"TensorFlow Lite cannot express the network of spec.model") as refused:
        converted(None, tf_keras.Sequential([tf_keras.Input(SHAPE), layer]))
    assert refused.value.cause == "BadConfig"
    assert "it has nothing like the operation tf.MatrixSolve of TensorFlow" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_calibration_takes_different_raw_samples_and_the_same_for_equal_seeds() -> None:
    values = np.arange(100, dtype=np.uint8).reshape(100, 1)
    feed = InMemory(Dataset(values, np.arange(100) % 2, classes=2))
    first, again, other = (np.stack(list(Calibration(feed, count=80, seed=seed))).ravel().tolist() for seed in (1, 1, 2))
    assert len(set(first)) == 80
    assert first == again != other
    assert max(first) > 60


def test_calibration_takes_all_samples_where_there_are_no_more() -> None:
    feed = easy_samples(120).training
    for count in (60, 61, 200):
        calibration = Calibration(feed, count=count, seed=1)
        assert len(calibration) == len(list(calibration)) == 60


def quantized_alone(folder: Path, **quantization: Any) -> tuple[Quantized, Split]:
    """A small trained network on easy samples, quantized."""
    samples = easy_samples(120, shape=(20,))
    rank = alone(folder, compression={"quantization": quantization}, training={"epochs": 8, "batchSize": 5})
    network = rank.network(samples)
    train(rank.context, network, samples)
    return quantize(rank.context, network, samples, name="model"), samples


@pytest.mark.parametrize("mode", list(QuantizationMode))
def test_a_trained_network_answers_as_well_in_every_mode(tmp_path: Path, mode: QuantizationMode) -> None:
    found, samples = quantized_alone(tmp_path, mode=mode, calibrationSamples=50)
    assert measure(found.tflite, TFLite(found.tflite), samples.test)[0].accuracy > 0.95
    assert (found.state is not None) == (mode is QuantizationMode.INT8_AWARE)


def test_fine_tuning_for_eight_bits_keeps_zeros_and_has_epochs_of_its_own(tmp_path: Path) -> None:
    samples = easy_samples(120, shape=(20,))
    compression = {"quantization": {"mode": "Int8Aware", "epochs": 3, "calibrationSamples": 50}}
    rank = alone(tmp_path, compression=compression, training={"epochs": 1, "batchSize": 5})
    network = rank.network(samples)
    kernel = network.layers[1].kernel
    kernel.assign(tf.where(tf.abs(kernel) < 0.1, 0.0, kernel))
    before = network.get_weights()
    found = quantize(rank.context, network, samples, name="model")
    assert found.state is not None
    assert len(found.state.history) == 3
    assert all(np.array_equal(one, other) for one, other in zip(before, network.get_weights(), strict=True))
    model = interpreter(found.tflite)
    [eights] = [
        model.get_tensor(details["index"]) for details in model.get_tensor_details() if list(details["shape"]) == [128, 20]
    ]
    assert np.all(eights.T[kernel.numpy() == 0] == 0)
    assert np.mean(eights == 0) > 0.3


class OwnLayer(tf_keras.layers.Layer):  # type: ignore[misc]  # TensorFlow ships no types
    """A layer with weights that only its own code knows."""

    def build(self, shape: Any) -> None:
        """Make the weights."""
        self.factor = self.add_weight(name="factor", shape=shape[-1:])

    def call(self, inputs: Any) -> Any:
        """Multiply."""
        return inputs * self.factor


class OwnNetwork(tf_keras.Model):  # type: ignore[misc]  # TensorFlow ships no types
    """A network that only its own code knows."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = tf_keras.layers.Dense(2)

    def call(self, inputs: Any) -> Any:
        """Return logits."""
        return self.dense(inputs)


def in_sequence(*layers: Any) -> Any:
    return tf_keras.Sequential([tf_keras.Input((20,)), *layers])


BEYOND: dict[str, tuple[Any, str]] = {
    "a network in a network": (
        lambda: in_sequence(tf_keras.Sequential([tf_keras.layers.Dense(2)], name="inner")),
        "its layer inner is a network itself. Call the layers of inner one after the other instead, or build it on your",
    ),
    "an own layer": (lambda: in_sequence(OwnLayer(name="own")), r"how to round the weights of own \(OwnLayer\)"),
    "a layer without a rule": (
        lambda: in_sequence(tf_keras.layers.LayerNormalization(name="norm")),
        r"how to round the weights of norm \(LayerNormalization\)",
    ),
    "own code": (OwnNetwork, "only its own code knows the layers of the class OwnNetwork. Return a tf_keras Sequential"),
}


@pytest.mark.parametrize(("make", "words"), BEYOND.values(), ids=BEYOND)
def test_a_network_that_cannot_learn_eight_bits_is_refused_with_a_way_out(make: Any, words: str) -> None:
    with pytest.raises(TrainerError, match=rf"Int8Aware cannot be used with the network of spec.model: .*{words}") as refused:
        aware_of_quantization(make())
    assert refused.value.cause == "BadConfig"
    assert refused.value.hint == "Set spec.compression.quantization.mode to Int8, which needs no fine-tuning."


@pytest.mark.parametrize("activation", ["ReLU6", "HardSwish", "GELU"])
def test_a_network_of_any_activation_can_learn_eight_bits(activation: str) -> None:
    """tfmot itself knows some functions only."""
    parameters = [{"name": "activation", "value": activation}, {"name": "hiddenUnits", "value": "4"}]
    model = Model.model_validate({"builtin": {"type": "MLP"}, "parameters": parameters})
    network = build(model, shape=(6,), classes=2, seed=1)
    aware = aware_of_quantization(network)
    samples = np.random.default_rng(1).normal(size=(8, 6)).astype(np.float32)
    aware(samples, training=True)  # the range of its inputs
    assert np.abs(aware(samples) - network(samples)).max() < 0.2


layers = tf_keras.layers


def hard_swish(x: Any) -> Any:
    """As in MobileNetV3."""
    x = layers.Conv2D(8, 1)(x)
    return layers.Multiply()([x, layers.ReLU(6.0)(x + 3.0) * (1.0 / 6.0)])


def gated(x: Any) -> Any:
    """As in EfficientNet."""
    x = layers.Conv2D(8, 1)(x)
    average = layers.Reshape((1, 1, 8))(layers.GlobalAveragePooling2D()(x))
    return layers.Multiply()([x, layers.Conv2D(8, 1, activation="sigmoid")(average)])


def separable(x: Any) -> Any:
    """As in NASNet."""
    x = layers.SeparableConv2D(8, 3, padding="same", use_bias=False)(layers.Activation("relu")(x))
    return layers.BatchNormalization()(x)


def normalised_first(x: Any) -> Any:
    """As in DenseNet."""
    return layers.Conv2D(8, 1)(layers.Activation("relu")(layers.BatchNormalization()(layers.MaxPooling2D()(x))))


@pytest.mark.parametrize("kind", [hard_swish, gated, separable, normalised_first])
def test_a_network_computes_in_integers_what_it_was_taught_to_expect(kind: Any) -> None:
    """Also with layers that tfmot has no rule for."""
    tf_keras.utils.set_random_seed(1)
    inputs = tf_keras.Input((8, 8, 4))
    network = tf_keras.Model(inputs, layers.Dense(3)(layers.GlobalAveragePooling2D()(kind(inputs))))
    for weight in network.trainable_weights:
        weight.assign(weight * 2.0)  # logits that fill the range which tfmot begins with
    samples = 2 * np.random.default_rng(1).random((8, 8, 8, 4)).astype(np.float32)
    aware = aware_of_quantization(network)
    aware(samples, training=True)  # the range of its inputs
    mode, normalization = QuantizationMode.INT8_AWARE, Normalization(1.0)
    tflite = to_tflite(aware, shape=(8, 8, 4), normalization=normalization, mode=mode, calibration=samples)
    kinds = {details["dtype"] for details in interpreter(tflite).get_tensor_details()}
    assert kinds <= {np.int8, np.int32}
    step = 12 / 255
    assert np.abs(TFLite(tflite)(samples) - aware(samples).numpy()).max() < 3 * step


def test_a_normalisation_keeps_what_it_has_been_given_in_a_network_that_learns_eight_bits() -> None:
    normalisation = tf_keras.layers.Normalization()
    samples = np.random.default_rng(1).normal(50, 7, (64, 20)).astype(np.float32)
    normalisation.adapt(samples)
    tf_keras.utils.set_random_seed(1)
    network = in_sequence(normalisation, tf_keras.layers.Dense(2))
    for _ in range(2):
        assert np.abs(aware_of_quantization(network)(samples) - network(samples)).max() < 0.2


@pytest.mark.parametrize(
    ("compression", "sentence"),
    [
        ({"pruning": {"skipLayers": ["First", "Last"]}}, "has nothing to prune"),
        ({"quantization": {"mode": "Int8Aware", "calibrationSamples": 60}}, "Int8Aware cannot be used"),
    ],
)
def test_what_would_be_refused_after_training_is_refused_before(compression: Any, sentence: str) -> None:
    inner = tf_keras.Sequential([tf_keras.Input((6,)), tf_keras.layers.Dense(2)])
    network = tf_keras.Sequential([tf_keras.Input((6,)), inner])
    with pytest.raises(TrainerError, match=sentence) as refused:
        check_compression(Compression.model_validate(compression), network)
    assert refused.value.cause == "BadConfig"


def test_what_can_be_compressed_is_let_pass_and_left_as_it_is() -> None:
    compression = {"pruning": {}, "quantization": {"mode": "Int8Aware", "calibrationSamples": 60}}
    network = tf_keras.Sequential([tf_keras.Input((6,)), tf_keras.layers.Dense(2)])
    before = network.get_weights()
    check_compression(Compression.model_validate(compression), network)
    assert all(np.array_equal(one, other) for one, other in zip(before, network.get_weights(), strict=True))
