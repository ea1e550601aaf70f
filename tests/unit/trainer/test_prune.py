"""Pruning on one rank alone: what becomes zero, what stays, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tf_keras

from tests.unit.trainer.stages_alone import Interruption, alone, easy_samples
from trainingrun.api import Pruning, Training
from trainingrun.contract import Stage
from trainingrun_trainer.compression.masks import layers_to_prune
from trainingrun_trainer.compression.pruned import Pruned
from trainingrun_trainer.compression.ramp import ramp
from trainingrun_trainer.errors import TrainerError
from trainingrun_trainer.stages.course import Course
from trainingrun_trainer.stages.prune import prune
from trainingrun_trainer.stages.rate import Rate
from trainingrun_trainer.stages.train import train

MODEL = {"builtin": {"type": "MLP"}, "parameters": [{"name": "hiddenUnits", "value": "[40]"}]}


def a_compression(**pruning: Any) -> dict[str, Any]:
    return {"pruning": {"finalSparsities": ["0.8"], "epochs": 4, **pruning}}


def pruned_alone(folder: Path, **pruning: Any) -> list[Pruned]:
    """A small network on easy samples, not trained before, pruned."""
    rank = alone(folder, compression=a_compression(**pruning), training={"epochs": 1, "batchSize": 5})
    samples = easy_samples(120, shape=(20,))
    return list(prune(rank.context, rank.network(samples), samples))


@pytest.mark.parametrize(
    ("what", "steps", "frequency", "end", "spacing"),
    [
        ("as asked", 10_000, 100, 3000, 100),
        ("at least ten updates", 700, 100, 210, 21),
        ("the last one is on the last step of the ramp", 1000, 7, 294, 7),
        ("one per step", 10, 100, 3, 1),
        ("a single step", 1, 100, 1, 1),
    ],
)
def test_a_ramp_has_its_last_update_on_its_last_step(what: str, steps: int, frequency: int, end: int, spacing: int) -> None:
    found = ramp(steps, frequency=frequency)
    assert (found.end, found.frequency) == (end, spacing), what


def test_each_sparsity_is_reached_in_every_layer_and_the_least_sparse_comes_first(tmp_path: Path) -> None:
    found = pruned_alone(tmp_path, finalSparsities=["0.9", "0.5"], allocation="Uniform")
    assert [each.sparsity for each in found] == [0.5, 0.9]
    assert [[layer.sparsity for layer in each.layers] for each in found] == [[0.5, 0.5], [0.9, pytest.approx(0.9, abs=0.0125)]]
    assert [each.share for each in found] == [pytest.approx(0.5), pytest.approx(0.9, abs=0.002)]
    zeros = [float(np.mean(each.weights[0] == 0)) for each in found]
    assert zeros == [0.5, 0.9]


def test_by_default_all_layers_together_are_as_sparse_as_asked_and_a_small_one_keeps_more(tmp_path: Path) -> None:
    [found] = pruned_alone(tmp_path, initialSparsity="0.5")
    [large, small] = found.layers
    assert found.share == pytest.approx(0.8, abs=0.002)
    assert small.sparsity < 0.7 < 0.8 < large.sparsity


def test_a_pruned_network_still_answers(tmp_path: Path) -> None:
    [found] = pruned_alone(tmp_path, epochs=8)
    assert found.state.history[-1]["val_accuracy"] > 0.95


def test_a_pruning_that_is_interrupted_goes_on_with_the_same_weights(tmp_path: Path) -> None:
    samples = easy_samples(120, shape=(20,))
    spec: dict[str, Any] = {"compression": a_compression(), "training": {"epochs": 1, "batchSize": 5}}
    whole = alone(tmp_path / "whole", **spec)
    [undisturbed] = prune(whole.context, whole.network(samples), samples)

    cut = alone(tmp_path / "cut", is_interrupted=Interruption(3), **spec)
    with pytest.raises(TrainerError, match=r"Told to stop in epoch 1, step [0-9]+; the state is saved"):
        list(prune(cut.context, cut.network(samples), samples))
    again = alone(tmp_path / "cut", attempt=2, **spec)
    [resumed] = prune(again.context, again.network(samples), samples)
    assert all(np.array_equal(one, other) for one, other in zip(resumed.weights, undisturbed.weights, strict=True))
    assert resumed.state.history == undisturbed.state.history


def test_a_pruning_that_was_finished_is_not_repeated(tmp_path: Path) -> None:
    samples = easy_samples(120, shape=(20,))
    spec: dict[str, Any] = {"compression": a_compression(), "training": {"epochs": 1, "batchSize": 5}}
    first = alone(tmp_path, **spec)
    [before] = prune(first.context, first.network(samples), samples)
    second = alone(tmp_path, attempt=2, **spec)
    [after] = prune(second.context, second.network(samples), samples)
    assert all(np.array_equal(one, other) for one, other in zip(before.weights, after.weights, strict=True))
    assert {report.step for report in second.notes.reports if report.stage is Stage.PRUNING} == {48}, "it is where it was"


def test_training_and_pruning_keep_their_states_apart(tmp_path: Path) -> None:
    samples = easy_samples(120, shape=(20,))
    rank = alone(tmp_path, compression=a_compression(), training={"epochs": 2, "batchSize": 20})
    network = rank.network(samples)
    state = train(rank.context, network, samples)
    [found] = prune(rank.context, network, samples)
    assert (len(state.history), len(found.state.history)) == (2, 4)
    lines = [
        path.read_text().count("\n")
        for path in (tmp_path / "run" / "metrics.jsonl", tmp_path / "run" / "pruned-0.8" / "metrics.jsonl")
    ]
    assert lines == [2, 4]


def test_a_learning_rate_that_burns_pruning_is_named_by_its_field(tmp_path: Path) -> None:
    with pytest.raises(TrainerError, match=r"with spec.compression.pruning.learningRate 1e30") as burnt:
        pruned_alone(tmp_path, learningRate="1e30")
    assert burnt.value.cause == "NotANumber"
    assert "Lower spec.compression.pruning.learningRate, or" in burnt.value.hint


def a_network(*layers: Any) -> Any:
    return tf_keras.Sequential(
        [tf_keras.Input((8, 8, 1)), *layers, tf_keras.layers.Flatten(), tf_keras.layers.Dense(2, name="logits")]
    )


@pytest.mark.parametrize(
    ("skip", "left"),
    [
        ((), ["one", "two", "logits"]),
        (("First",), ["two", "logits"]),
        (("Last",), ["one", "two"]),
        (("First", "Last"), ["two"]),
        (("two",), ["one", "logits"]),
    ],
)
def test_layers_are_skipped_by_their_place_and_by_their_name(skip: tuple[str, ...], left: list[str]) -> None:
    convolutions = [
        tf_keras.layers.Conv2D(2, 3, name="one"),
        tf_keras.layers.BatchNormalization(),
        tf_keras.layers.Conv2D(2, 3, name="two"),
    ]
    assert [layer.name for layer in layers_to_prune(a_network(*convolutions), skip=skip)] == left


def test_a_layer_that_is_not_trained_keeps_its_weights() -> None:
    frozen = tf_keras.layers.Conv2D(2, 3, name="frozen", trainable=False)
    assert [layer.name for layer in layers_to_prune(a_network(frozen), skip=())] == ["logits"]


def test_layers_of_a_network_within_the_network_are_pruned_too() -> None:
    base = tf_keras.Sequential([tf_keras.Input((8, 8, 1)), tf_keras.layers.Conv2D(2, 3, name="inner")])
    assert [layer.name for layer in layers_to_prune(a_network(base), skip=())] == ["inner", "logits"]


class Subclassed(tf_keras.Model):  # type: ignore[misc]  # tf_keras ships no types
    """A network whose layers only its code knows."""


@pytest.mark.parametrize(
    ("network", "skip", "sentence"),
    [
        (a_network(), ("lgits",), "skipLayers has lgits, which the network has not. There are First, Last, logits."),
        (
            a_network(),
            ("logits",),
            "has nothing to prune: the network has no dense or convolutional layer beside those in skipLayers",
        ),
        (
            tf_keras.Sequential([tf_keras.Input((3,)), tf_keras.layers.ReLU()]),
            (),
            "no dense or convolutional layer to train",
        ),
        (Subclassed(), (), "cannot prune a network of the class Subclassed, whose layers only its own code knows"),
    ],
)
def test_what_cannot_be_pruned_is_said_in_a_sentence(network: Any, skip: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(TrainerError, match=sentence) as refused:
        layers_to_prune(network, skip=skip)
    assert refused.value.cause == "BadConfig"


@pytest.mark.parametrize(
    ("what", "optimizer", "asked", "expected"),
    [
        ("five times that of training", {"name": "Adam", "learningRate": "0.0003"}, None, 0.0015),
        ("up to a limit", {"name": "Adam", "learningRate": "0.003"}, None, 0.005),
        ("never less", {"name": "Adam", "learningRate": "0.02"}, None, 0.02),
        ("the same with SGD", {"name": "SGD", "learningRate": "0.1"}, None, 0.1),
        ("what is asked for", {"name": "Adam", "learningRate": "0.001"}, 0.0002, 0.0002),
    ],
)
def test_the_learning_rate_of_pruning(what: str, optimizer: Any, asked: float | None, expected: float) -> None:
    training = Training.model_validate({"epochs": 3, "optimizer": optimizer})
    course = Course.of_pruning(training, Pruning(learning_rate=asked), sparsity=0.8)
    assert course.training.optimizer.learning_rate == expected, what
    assert course.field == "spec.compression.pruning.learningRate"
    said = Rate(course.stage, course.field, course.rates(batches=1, steps=10), course.origin)
    assert (" by default " in said.words, " by default " in said.choice.reason) == 2 * (asked is None,), "nobody has set it"


def test_fine_tuning_has_its_own_epochs_falls_along_a_cosine_and_does_not_stop_early() -> None:
    training = Training.model_validate({"epochs": 30, "earlyStopping": {"patience": 1}, "schedule": {"warmupEpochs": 2}})
    course = Course.of_pruning(training, Pruning(epochs=4), sparsity=0.8)
    assert (course.training.epochs, course.training.early_stopping) == (4, None)
    rates = np.concatenate([course.rates(batches=1, steps=10).of_epoch(epoch) for epoch in range(4)])
    assert rates.max() == rates[9] == pytest.approx(0.005)
    assert np.all(np.diff(rates[10:]) < 0)
    assert rates[-1] < 0.0001
