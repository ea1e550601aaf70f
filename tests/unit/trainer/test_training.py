"""What a step computes, on one rank alone: the same numbers however it is cut up, and nothing left out."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from tests.unit.trainer.stages_alone import Interruption, alone, easy_samples
from trainingrun_trainer.errors import TrainerError
from trainingrun_trainer.parallel.statistics import average_statistics
from trainingrun_trainer.stages.train import train

SGD = {"name": "SGD", "learningRate": "0.05"}
DROPOUT = {"builtin": {"type": "MLP"}, "parameters": [{"name": "dropout", "value": "0.5"}]}


def losses(output: Path, *, samples: Any = None, network: Any = None, **spec: Any) -> list[float]:
    """The training losses of a run."""
    parts = samples if samples is not None else easy_samples(120)
    rank = alone(output, **spec)
    state = train(rank.context, network or rank.network(parts), parts)
    return [epoch["loss"] for epoch in state.history]


def test_two_passes_take_the_step_that_one_of_twice_the_batch_takes(tmp_path: Path) -> None:
    schedule = {"scaling": "None"}
    training = {"epochs": 3, "optimizer": SGD, "schedule": schedule}
    at_once = losses(tmp_path / "one", training={**training, "batchSize": 16})
    in_passes = losses(tmp_path / "two", training={**training, "batchSize": 8}, backwardPassesPerStep=2)
    assert in_passes == pytest.approx(at_once, rel=1e-5)


@pytest.mark.parametrize("model", [{"builtin": {"type": "MLP"}}, DROPOUT], ids=["plain", "dropout"])
def test_equal_seeds_give_equal_numbers_and_another_seed_others(tmp_path: Path, model: dict[str, Any]) -> None:
    one, two, other = (
        losses(tmp_path / name, model=model, training={"epochs": 3, "batchSize": 8, "seed": seed})
        for name, seed in (("one", 7), ("two", 7), ("other", 8))
    )
    assert one == pytest.approx(two, rel=1e-12)
    assert one != pytest.approx(other, rel=1e-3)


def test_dropout_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    training = {"epochs": 3, "batchSize": 2}
    undisturbed = losses(tmp_path / "whole", model=DROPOUT, training=training)
    cut = alone(tmp_path / "cut", model=DROPOUT, training=training, is_interrupted=Interruption(5))
    samples = easy_samples(120)
    with pytest.raises(TrainerError, match="Told to stop"):
        train(cut.context, cut.network(samples), samples)
    assert losses(tmp_path / "cut", attempt=2, model=DROPOUT, training=training) == pytest.approx(undisturbed, rel=1e-6)


def test_augmented_images_go_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    samples = easy_samples(120, shape=(6, 6, 1))
    spec: dict[str, Any] = {"augmentation": {"rotationDegrees": "20", "zoom": "0.2"}, "training": {"epochs": 3, "batchSize": 2}}
    undisturbed = losses(tmp_path / "whole", samples=samples, **spec)
    assert undisturbed != losses(tmp_path / "plain", samples=samples, training=spec["training"])
    cut = alone(tmp_path / "cut", is_interrupted=Interruption(5), **spec)
    with pytest.raises(TrainerError, match="Told to stop"):
        train(cut.context, cut.network(samples), samples)
    assert losses(tmp_path / "cut", samples=samples, attempt=2, **spec) == pytest.approx(undisturbed, rel=1e-6)


@pytest.mark.parametrize("name", ["Adam", "AdamW", "SGD", "RMSprop"])
def test_every_optimizer_learns(tmp_path: Path, name: str) -> None:
    rate = "0.1" if name == "SGD" else "0.01"
    course = losses(tmp_path, training={"epochs": 4, "batchSize": 8, "optimizer": {"name": name, "learningRate": rate}})
    assert course[-1] < 0.5 * course[0]


def a_network(*layers: Any, features: int = 6) -> Any:
    tf_keras.utils.set_random_seed(1)
    return tf_keras.Sequential([tf_keras.Input((features,)), *layers, tf_keras.layers.Dense(2)])


def test_a_penalty_of_the_network_itself_counts(tmp_path: Path) -> None:
    training = {"epochs": 1, "batchSize": 60, "optimizer": {**SGD, "learningRate": "0.5"}}
    weights = []
    for name, penalty in (("none", 0.0), ("l2", 0.5)):
        network = a_network(tf_keras.layers.Dense(4, kernel_regularizer=tf_keras.regularizers.L2(penalty)))
        losses(tmp_path / name, network=network, training=training)
        weights.append(np.abs(network.get_weights()[0]).sum())
    assert weights[1] < 0.8 * weights[0]


def test_the_l2_of_the_specification_is_the_penalty_that_keras_computes(tmp_path: Path) -> None:
    training = {"epochs": 2, "batchSize": 20, "optimizer": SGD}
    theirs = tf_keras.Sequential(
        [tf_keras.Input((6,)), tf_keras.layers.Dense(2, kernel_regularizer=tf_keras.regularizers.L2(0.1))]
    )
    ours = tf_keras.Sequential([tf_keras.Input((6,)), tf_keras.layers.Dense(2)])
    ours.set_weights(theirs.get_weights())
    losses(tmp_path / "theirs", network=theirs, training=training)
    losses(tmp_path / "ours", network=ours, training={**training, "regularization": {"l2": "0.1"}})
    for one, other in zip(theirs.get_weights(), ours.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_normalisation_learns_its_averages(tmp_path: Path) -> None:
    network = a_network(tf_keras.layers.BatchNormalization(momentum=0.5))
    losses(tmp_path, network=network, training={"epochs": 3, "batchSize": 20})
    mean = network.layers[0].moving_mean.numpy()
    assert mean == pytest.approx(np.full(6, 0.5), abs=0.2)  # the samples' mean


class TwoRanks:
    """A gang whose other rank has everything ten times as large."""

    rank, size = 0, 2

    def sum(self, values: Any) -> Any:
        return values * 11


def test_averages_are_the_mean_over_the_ranks() -> None:
    network = a_network(tf_keras.layers.BatchNormalization())
    network.layers[0].moving_mean.assign(tf.range(6.0))
    average_statistics(TwoRanks(), network)  # type: ignore[arg-type]  # only what it uses
    np.testing.assert_allclose(network.layers[0].moving_mean.numpy(), np.arange(6.0) * 5.5)
    np.testing.assert_allclose(network.layers[0].moving_variance.numpy(), np.full(6, 5.5))


def test_a_loss_that_is_no_number_stops_the_run_within_the_epoch(tmp_path: Path) -> None:
    training = {"epochs": 1, "batchSize": 1, "optimizer": {"name": "SGD", "learningRate": "1e20"}}
    with pytest.raises(TrainerError, match=r"loss became (nan|inf) by step \d+ of epoch 1.*learningRate 1e20") as problem:
        losses(tmp_path, training=training)
    assert problem.value.cause == "NotANumber"
    assert "by step 60" not in str(problem.value)


def test_mixed_precision_computes_in_bfloat16_and_keeps_floats_as_weights(tmp_path: Path) -> None:
    tf_keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        network = a_network(tf_keras.layers.Dense(8, activation="relu"))
    finally:
        tf_keras.mixed_precision.set_global_policy("float32")
    course = losses(tmp_path, network=network, training={"epochs": 4, "batchSize": 8, "optimizer": {"learningRate": "0.01"}})
    assert network.layers[0].compute_dtype == "bfloat16"
    assert {str(weight.dtype) for weight in network.get_weights()} == {"float32"}
    assert course[-1] < 0.5 * course[0]
