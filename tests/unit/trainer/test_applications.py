"""The networks of tf_keras.applications: what they are given, what they learn from, and the weights that they begin with."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from tf_keras.src.utils import data_utils

from tests.unit.trainer.dwarfs import DWARFS, dwarf
from trainingrun.api import ApplicationName, Model
from trainingrun_trainer.compression.masks import layers_to_prune
from trainingrun_trainer.compression.rounding import has_no_rule
from trainingrun_trainer.errors import TrainerError
from trainingrun_trainer.models.networks import build
from trainingrun_trainer.models.weights import kernels, moving_statistics
from trainingrun_trainer.storage import local_folder

SMALL = {"alpha": "0.25"}


@pytest.fixture(scope="module", autouse=True)
def dwarfs() -> Iterator[None]:
    """Small networks of the library's own code; `test_applications_small` builds whole ones."""
    with pytest.MonkeyPatch.context() as patch:
        dwarf(patch)
        yield


def an_application(name: str = "MobileNet", *, weights: str | None = None, **parameters: str) -> Model:
    application = {"name": name} if weights is None else {"name": name, "weightsFile": weights}
    named = [{"name": key, "value": value} for key, value in parameters.items()]
    return Model.model_validate({"application": application, "parameters": named})


def built(model: Model, *, shape: tuple[int, ...] = (32, 32, 3), seed: int = 1, **surroundings: Any) -> Any:
    return build(model, shape=shape, classes=10, seed=seed, **surroundings)


@cache
def shared(name: str = "MobileNet", **parameters: str) -> Any:
    """One network for all tests that leave it as it is."""
    return built(an_application(name, **parameters))


def given_to(network: Any) -> Any:
    """The part of the network that makes of samples what the library's own expects."""
    return tf_keras.Model(network.input, network.get_layer("expected_range").output)


def samples(shape: tuple[int, ...] = (32, 32, 3), count: int = 4) -> Any:
    return np.random.default_rng(1).random((count, *shape)).astype(np.float32)


def train_once(network: Any, inputs: Any) -> float:
    """One step as the trainer takes it: in a loop in a graph, without AutoGraph."""
    optimizer = tf_keras.optimizers.SGD(0.01)
    optimizer.build(network.trainable_variables)

    def one_step(step: Any, loss: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            logits = network(inputs, training=True)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(tf.range(len(inputs)), logits))
        optimizer.apply_gradients(
            zip(tape.gradient(loss, network.trainable_variables), network.trainable_variables, strict=True)
        )
        return step + 1, loss

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]  # TensorFlow ships no types
    def run() -> Any:
        return tf.while_loop(lambda step, _: step < 1, one_step, (0, 0.0))[1]

    return float(run())


PREPROCESSING = {
    "MobileNet": "mobilenet",
    "MobileNetV2": "mobilenet_v2",
    "MobileNetV3Small": "mobilenet_v3",
    "MobileNetV3Large": "mobilenet_v3",
    "EfficientNetB0": "efficientnet",
    "EfficientNetV2B0": "efficientnet_v2",
    "NASNetMobile": "nasnet",
    "DenseNet121": "densenet",
}
"""Modules of tf_keras.applications that say what a network wants to be made of pixels from 0 to 255."""

TRAINED = ("MobileNet", "EfficientNetB0")
"""Those whose step is traced; the others are only called."""


def as_published(name: str, file: Path) -> Any:
    """The library's network as it makes it for published weights, with random ones, which are written to the file."""
    weights = None if name == "DenseNet121" else "imagenet"  # which this one has for whole networks only
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data_utils, "get_file", lambda *_, **__: str(file))
        patch.setattr(tf_keras.Model, "load_weights", lambda *_, **__: None)
        network = DWARFS[ApplicationName(name)](weights=weights, include_top=False, pooling="avg", input_shape=(32, 32, 3))
    numbers = np.random.default_rng(1)
    network.set_weights(
        [numbers.uniform(0.5, 1.5, old.shape).astype(old.dtype) if old.ndim == 1 else old for old in network.get_weights()]
    )
    for layer in network.layers:
        layer.finalize_state()  # as load_weights does: a Normalization takes its statistics over
    network.save_weights(file)
    return network


@pytest.mark.parametrize("name", ApplicationName)
def test_an_application_is_the_network_of_the_library_with_its_published_weights(name: ApplicationName, tmp_path: Path) -> None:
    """Also what it makes of pixels before its first layer."""
    library = as_published(name, tmp_path / "published.h5")
    wanted = library(getattr(tf_keras.applications, PREPROCESSING[name]).preprocess_input(samples() * 255)).numpy()
    network = built(an_application(name, weights="published.h5"), data=local_folder(tmp_path))
    found = tf_keras.Model(network.input, network.get_layer("dropout").input)(samples()).numpy()
    np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-4 * np.abs(wanted).max())

    # Flat: what makes networks smaller finds its layers, and a rule for each.
    assert not any(isinstance(layer, tf_keras.Model) for layer in network.layers)
    assert not [layer.name for layer in network.layers if has_no_rule(layer)]
    assert len(layers_to_prune(network, skip=["First"])) >= 3

    if name in TRAINED:
        before = [variable.numpy() for variable in moving_statistics(network)]
        assert np.isfinite(train_once(network, samples()))
        moved = [(old != new.numpy()).any() for old, new in zip(before, moving_statistics(network), strict=True)]
        assert np.mean(moved) > 0.9


def test_statistics_of_a_network_that_began_with_random_weights_are_taken_as_they_are(tmp_path: Path) -> None:
    """There tf_keras divides by nothing more, and neither do we."""
    library = DWARFS[ApplicationName.EFFICIENT_NET_B0](weights=None, include_top=False, pooling="avg", input_shape=(32, 32, 3))
    library.save_weights(tmp_path / "own.h5")
    network = built(an_application("EfficientNetB0", weights="own.h5"), data=local_folder(tmp_path))
    np.testing.assert_allclose(given_to(network)(samples()), samples() * 255, rtol=1e-5)


@pytest.mark.parametrize("name", ["MobileNetV3Small", "EfficientNetB0", "DenseNet121"])
def test_layers_have_the_same_names_however_often_a_network_is_built(name: str) -> None:
    """Many of them the library leaves to Keras, which counts them through the whole process."""
    tf_keras.layers.Multiply(), tf_keras.layers.Normalization(), tf_keras.layers.ZeroPadding2D()
    assert [layer.name for layer in built(an_application(name)).layers] == [layer.name for layer in shared(name).layers]


def test_the_statistics_follow_as_fast_as_asked() -> None:
    """Their own 0.999 would need thousands of steps before a validation says anything."""
    for momentum, share in (("0.5", 0.5), ("0.9", 0.1)):
        network = built(an_application(**SMALL, normalizationMomentum=momentum))
        variance = network.get_layer("conv1_bn").moving_variance
        network(np.full((4, 32, 32, 3), 0.5, np.float32), training=True)
        assert (1 - variance.numpy()).max() == pytest.approx(share, rel=0.1)  # grey images have no variance


def test_grey_images_are_repeated_and_images_of_any_shape_taken() -> None:
    shape = (33, 47, 1)
    network = built(an_application(**SMALL), shape=shape)
    np.testing.assert_allclose(given_to(network)(samples(shape)), np.repeat(samples(shape), 3, axis=-1) * 2 - 1, atol=1e-6)
    assert network(samples(shape)).shape == (4, 10)


def test_small_images_are_resized_on_request() -> None:
    network = built(an_application(**SMALL, inputSize="40"), shape=(28, 28, 1))
    assert network.get_layer("expected_range").output_shape == (None, 40, 40, 3)
    assert network(samples((28, 28, 1))).shape == (4, 10)


CHOICES: dict[str, tuple[str, dict[str, str], Any]] = {
    "alpha": ("MobileNet", SMALL, lambda network: network.get_layer("conv1").filters == 8),
    "pooling": (
        "MobileNet",
        {**SMALL, "pooling": "Max"},
        lambda network: isinstance(network.layers[-3], tf_keras.layers.GlobalMaxPooling2D),
    ),
    "dropout": ("MobileNet", {**SMALL, "dropout": "0.5"}, lambda network: network.layers[-2].rate == 0.5),
    "minimalistic": (
        "MobileNetV3Small",
        {"minimalistic": "true"},
        lambda network: not any(layer.name.endswith("squeeze_excite/Mul") for layer in network.layers),
    ),
}


@pytest.mark.parametrize(("name", "parameters", "shows"), CHOICES.values(), ids=CHOICES)
def test_a_parameter_changes_the_network(name: str, parameters: dict[str, str], shows: Any) -> None:
    assert shows(shared(name, **parameters))
    assert not shows(shared(name))


REFUSED: dict[str, tuple[Model, tuple[int, ...], str]] = {
    "a small image": (
        an_application(),
        (28, 28, 1),
        "spec.model.application.name MobileNet needs images of at least 32 x 32; these are 28 x 28. Set .* inputSize",
    ),
    "four channels": (an_application(), (32, 32, 4), "needs images with one or three channels, but the samples have the shape"),
    "no image": (an_application(), (6,), r"but the samples have the shape \[6\]: use spec.model.builtin"),
    "an unknown parameter": (an_application(depth="3"), (32, 32, 3), "depth is no parameter of MobileNet"),
    "alpha elsewhere": (an_application("DenseNet121", alpha="1"), (32, 32, 3), "alpha is no parameter of DenseNet121"),
    "minimalistic elsewhere": (an_application(minimalistic="true"), (32, 32, 3), "minimalistic is no parameter of MobileNet"),
    "a dropout of one": (an_application(dropout="1"), (32, 32, 3), "dropout 1.0 must be from 0 to below 1"),
}


@pytest.mark.parametrize(("model", "shape", "words"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_built_is_refused_in_a_sentence(model: Model, shape: tuple[int, ...], words: str) -> None:
    with pytest.raises(TrainerError, match=words) as refused:
        built(model, shape=shape)
    assert refused.value.cause == "BadConfig"


def test_equal_seeds_give_equal_weights_and_other_seeds_others() -> None:
    one, two, other = (built(an_application(**SMALL), seed=seed).get_weights() for seed in (1, 1, 2))
    assert all((first == second).all() for first, second in zip(one, two, strict=True))
    assert any((first != second).any() for first, second in zip(one, other, strict=True))


def test_kernels_are_penalised_and_normalisation_and_biases_are_not() -> None:
    network = shared(**SMALL)
    names = {weight.name.rpartition("/")[2] for weight in network.trainable_variables}
    penalised = {weight.name.rpartition("/")[2] for weight in kernels(network.trainable_variables)}
    assert (penalised, names - penalised) == ({"kernel:0", "depthwise_kernel:0"}, {"bias:0", "gamma:0", "beta:0"})
    named = tf_keras.Sequential([tf_keras.Input((3,)), tf_keras.layers.Dense(2, name="kernels")])
    assert [weight.name for weight in kernels(named.trainable_variables)] == ["kernels/kernel:0"]


def test_frozen_weights_are_no_moving_statistics(monkeypatch: pytest.MonkeyPatch) -> None:
    network = shared(**SMALL)
    statistics = [variable.name for variable in moving_statistics(network)]
    monkeypatch.setattr(network, "trainable", False)
    assert [variable.name for variable in moving_statistics(network)] == statistics
    assert {name.rpartition("/")[2] for name in statistics} == {"moving_mean:0", "moving_variance:0"}


@dataclass(frozen=True)
class Published:
    """Weights as Keras publishes them, and files that are something else."""

    folder: Path
    weights: dict[str, list[Any]]
    """Those of a file that a network without classifier takes over."""


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """A network without and with its classifier, with layers of other names, and what does not fit."""
    folder = tmp_path_factory.mktemp("weights")

    def make(**options: Any) -> Any:
        network = tf_keras.applications.MobileNet(weights=None, alpha=0.25, input_shape=(32, 32, 3), **options)
        network.set_weights([np.full(values.shape, number) for number, values in enumerate(network.get_weights())])
        return network

    plain, whole = make(include_top=False), make(classes=20)
    weights = {"no_top.h5": plain.get_weights(), "top.h5": whole.get_weights()[:-2], "renamed.h5": plain.get_weights()}
    plain.save_weights(folder / "no_top.h5")
    plain.save_weights(folder / "new.weights.h5")
    whole.save_weights(folder / "top.h5")
    for layer in plain.layers:
        layer._name = f"my_{layer.name}"
    plain.save_weights(folder / "renamed.h5")
    make(include_top=False, depth_multiplier=2).save_weights(folder / "wide.h5")
    dense = [tf_keras.layers.Dense(3, name=f"dense_{number}") for number in range(6)]
    tf_keras.Sequential([tf_keras.Input((3,)), *dense]).save_weights(folder / "other.h5")
    (folder / "text.h5").write_text("no weights")
    return Published(folder, weights)


@pytest.mark.parametrize("name", ["no_top.h5", "top.h5"])
def test_weights_of_a_file_are_those_of_the_network_but_for_the_classifier(published: Published, name: str) -> None:
    network = built(an_application(**SMALL, weights=name), data=local_folder(published.folder))
    for found, expected in zip(network.get_weights()[:-2], published.weights[name], strict=True):
        np.testing.assert_array_equal(found, expected)
    assert network.layers[-1].get_weights()[0].shape[1] == 10


def test_layers_of_other_names_are_found_by_their_order(published: Published) -> None:
    network = built(an_application(**SMALL, weights="renamed.h5"), data=local_folder(published.folder))
    for found, expected in zip(network.get_weights()[:-2], published.weights["renamed.h5"], strict=True):
        np.testing.assert_array_equal(found, expected)


UNFIT: dict[str, tuple[str, str]] = {
    "a missing file": (
        "none.h5",
        r"There is no file none.h5 \(spec.model.application.weightsFile\) in .* holds new.weights.h5, no_top.h5",
    ),
    "a text": ("text.h5", "text.h5 is no file of weights in HDF5"),
    "the other format": ("new.weights.h5", "new.weights.h5 is no file of weights in HDF5"),
    "another width": (
        "wide.h5",
        r"does not fit MobileNet: layer conv_dw_1 has weights of the shapes \[3, 3, 8, 1\].*\[3, 3, 8, 2\]",
    ),
    "another network": ("other.h5", "other.h5 has no layer conv1 of MobileNet: it holds 6 layers, dense_0"),
}


@pytest.mark.parametrize(("name", "words"), UNFIT.values(), ids=UNFIT)
def test_weights_that_do_not_fit_are_refused_and_the_layer_named(
    published: Published, monkeypatch: pytest.MonkeyPatch, name: str, words: str
) -> None:
    base = tf_keras.Model(shared(**SMALL).input, shared(**SMALL).get_layer("dropout").input)
    before = base.get_weights()
    monkeypatch.setattr(tf_keras.applications, "MobileNet", lambda **_: base)
    with pytest.raises(TrainerError, match=words) as refused:
        built(an_application(**SMALL, weights=name), data=local_folder(published.folder))
    assert refused.value.cause == ("BadData" if name == "none.h5" else "BadConfig")
    assert all(np.array_equal(one, other) for one, other in zip(before, base.get_weights(), strict=True))
