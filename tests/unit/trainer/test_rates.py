"""The learning rates of every stage, for each optimizer and any number of ranks: values in, values out."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from trainingrun.api import Pruning, Quantization, Training
from trainingrun.contract import Stage
from trainingrun_trainer.stages.course import Course
from trainingrun_trainer.stages.rate import Rate
from trainingrun_trainer.stages.schedule import Rates

STEPS = 40
"""Of an epoch, on any number of ranks."""
ADAPTIVE = ("Adam", "AdamW", "RMSprop")
RANKS = (1, 2, 8, 16, 32)


def a_training(optimizer: str = "Adam", *, rate: str = "0.001", epochs: int = 10, **schedule: Any) -> Training:
    settings = {"name": optimizer, "learningRate": rate}
    return Training.model_validate({"epochs": epochs, "optimizer": settings, "schedule": schedule})


def trained(training: Training, *, ranks: int) -> Rates:
    return Course.of_training(training).rates(batches=ranks, steps=STEPS)


def fine_tuned(training: Training, *, ranks: int, stage: Stage = Stage.PRUNING, asked: float | None = None) -> Rates:
    if stage is Stage.PRUNING:
        course = Course.of_pruning(training, Pruning(learning_rate=asked), sparsity=0.8)
    else:
        course = Course.of_quantization(training, Quantization(), name="dense")
    return course.rates(batches=ranks, steps=STEPS)


def every_step(rates: Rates) -> NDArray[np.float32]:
    return np.concatenate([rates.of_epoch(epoch) for epoch in range(rates.epochs)])


@pytest.mark.parametrize("ranks", RANKS)
@pytest.mark.parametrize("optimizer", [*ADAPTIVE, "SGD"])
def test_by_default_sgd_scales_linearly_and_what_normalises_its_steps_by_the_square_root(optimizer: str, ranks: int) -> None:
    rates = trained(a_training(optimizer), ranks=ranks)
    assert every_step(rates).max() == pytest.approx(0.001 * (ranks if optimizer == "SGD" else math.sqrt(ranks)))


@pytest.mark.parametrize(
    ("ranks", "steps", "linear"), [(4, 32, 4), (16, 32, 16), (8, 16, 4), (16, 8, 4), (1000, 20, 625), (16, 1, 1), (2, 4, 1)]
)
def test_by_default_the_rate_of_sgd_grows_by_the_square_root_beyond_the_ranks_that_leave_an_epoch_32_steps(
    ranks: int, steps: int, linear: int
) -> None:
    training = a_training("SGD", epochs=100)
    expected = pytest.approx(0.001 * linear * math.sqrt(ranks / linear))
    assert Course.of_training(training).rates(batches=ranks, steps=steps).target == expected
    pruned = Course.of_pruning(training, Pruning(), sparsity=0.8).rates(batches=ranks, steps=steps)
    assert pruned.target == expected
    named = a_training("SGD", scaling="Linear")
    assert Course.of_training(named).rates(batches=ranks, steps=steps).target == pytest.approx(0.001 * ranks)


@pytest.mark.parametrize(("scaling", "expected"), [("None", 0.001), ("Linear", 0.008), ("SquareRoot", 0.001 * math.sqrt(8))])
@pytest.mark.parametrize("optimizer", ["Adam", "SGD"])
def test_a_rule_that_is_named_is_followed_without_a_warm_up_that_nobody_asked_for(
    optimizer: str, scaling: str, expected: float
) -> None:
    np.testing.assert_allclose(every_step(trained(a_training(optimizer, scaling=scaling), ranks=8)), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("optimizer", "ranks", "epochs", "expected"),
    [
        ("SGD", 2, 10, 0),
        ("SGD", 3, 10, STEPS),
        ("SGD", 8, 100, 5 * STEPS),
        ("Adam", 4, 10, 0),
        ("Adam", 5, 10, STEPS),
        ("RMSprop", 32, 1000, 5 * STEPS),
        ("AdamW", 32, 2, 10),
    ],
)
def test_a_factor_above_2_is_risen_to_for_5_epochs_or_a_tenth_of_the_steps(
    optimizer: str, ranks: int, epochs: int, expected: int
) -> None:
    rates = trained(a_training(optimizer, epochs=epochs), ranks=ranks)
    assert rates.warmup == expected
    course = every_step(rates)
    assert np.all(np.diff(course[: rates.warmup]) > 0)
    np.testing.assert_allclose(course[max(0, rates.warmup - 1) :], rates.target, rtol=1e-6)


def test_a_warm_up_that_is_asked_for_is_as_long_as_that() -> None:
    assert [trained(a_training("SGD", warmupEpochs=3), ranks=ranks).warmup for ranks in (1, 2, 16)] == [3 * STEPS] * 3


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_a_training_of_few_steps_warms_up_in_half_of_them_at_most(steps: int) -> None:
    rates = Course.of_training(a_training("SGD", epochs=1)).rates(batches=16, steps=steps)
    assert rates.warmup == steps // 2
    assert every_step(rates)[-1] == pytest.approx(rates.target)


@pytest.mark.parametrize("stage", [Stage.PRUNING, Stage.QUANTIZING])
@pytest.mark.parametrize("ranks", RANKS)
@pytest.mark.parametrize("scaling", ["Auto", "Linear", "SquareRoot", "None"])
@pytest.mark.parametrize("optimizer", ADAPTIVE)
def test_no_rate_of_fine_tuning_is_above_the_cap_on_any_number_of_ranks(
    optimizer: str, scaling: str, ranks: int, stage: Stage
) -> None:
    assert every_step(fine_tuned(a_training(optimizer, scaling=scaling), ranks=ranks, stage=stage)).max() <= 0.005 * 1.000001


@pytest.mark.parametrize(
    ("rate", "ranks", "expected"),
    [
        ("0.001", 1, 0.005),
        ("0.001", 32, 0.005),
        ("0.0001", 4, 0.001),
        ("0.0001", 16, 0.002),
        ("0.0001", 400, 0.005),
        ("0.017", 1, 0.017),
        ("0.017", 8, 0.017),
    ],
)
def test_pruning_takes_five_times_the_rate_of_training_up_to_the_cap_or_what_one_rank_trained_with(
    rate: str, ranks: int, expected: float
) -> None:
    assert fine_tuned(a_training(rate=rate), ranks=ranks).target == pytest.approx(expected)


@pytest.mark.parametrize(
    ("optimizer", "scaling", "expected"),
    [("Adam", "Auto", 0.0008), ("Adam", "Linear", 0.0008), ("Adam", "None", 0.0002), ("SGD", "Auto", 0.0032)],
)
def test_a_rate_of_pruning_that_is_asked_for_is_scaled_by_the_square_root_at_most_but_with_sgd(
    optimizer: str, scaling: str, expected: float
) -> None:
    assert fine_tuned(a_training(optimizer, scaling=scaling), ranks=16, asked=0.0002).target == pytest.approx(expected)


@pytest.mark.parametrize("stage", [Stage.PRUNING, Stage.QUANTIZING])
@pytest.mark.parametrize("optimizer", ["Adam", "SGD"])
@pytest.mark.parametrize("ranks", RANKS)
def test_fine_tuning_begins_far_below_its_rate_and_falls_along_a_cosine(ranks: int, optimizer: str, stage: Stage) -> None:
    rates = fine_tuned(a_training(optimizer), ranks=ranks, stage=stage)
    course = every_step(rates)
    assert course[0] <= 0.1 * rates.target
    assert course.argmax() in (rates.warmup - 1, rates.warmup)
    assert rates.warmup == max(10, round(0.05 * rates.epochs * STEPS))
    assert course[-1] < 0.01 * rates.target


def said(optimizer: str = "Adam", *, ranks: int, stage: Stage = Stage.TRAINING, steps: int = STEPS, **schedule: Any) -> Rate:
    training = a_training(optimizer, **schedule)
    courses = {
        Stage.TRAINING: Course.of_training(training),
        Stage.PRUNING: Course.of_pruning(training, Pruning(), sparsity=0.8),
        Stage.QUANTIZING: Course.of_quantization(training, Quantization(), name="dense"),
    }
    course = courses[stage]
    return Rate(stage, course.field, course.rates(batches=ranks, steps=steps))


@pytest.mark.parametrize(
    ("rate", "name", "value", "reason"),
    [
        (said(ranks=1), "learningRate.Training", "0.001", "spec.training.optimizer.learningRate 0.001."),
        (
            said(ranks=8),
            "learningRate.Training",
            "0.00283",
            "spec.training.optimizer.learningRate 0.001 times 2.83, SquareRoot scaling of 8 batches in a step; the first 40 of "
            "400 steps rise to it from 0.001.",
        ),
        (
            said(ranks=32, stage=Stage.PRUNING),
            "learningRate.Pruning",
            "0.005",
            "spec.compression.pruning.learningRate 0.005 times 5.66, SquareRoot scaling of 32 batches in a step, but no more "
            "than 0.005; the first 20 of 400 steps rise to it from 0.",
        ),
        (
            said("SGD", ranks=2, stage=Stage.QUANTIZING),
            "learningRate.Quantizing",
            "0.002",
            "spec.training.optimizer.learningRate 0.001 times 2, Linear scaling of 2 batches in a step; the first 10 of 80 "
            "steps rise to it from 0.",
        ),
        (
            said("SGD", ranks=16, steps=8),
            "learningRate.Training",
            "0.008",
            "spec.training.optimizer.learningRate 0.001 times 8, Linear scaling of 16 batches in a step, of which 4 leave an "
            "epoch 32 steps: beyond them by the square root; the first 10 of 80 steps rise to it from 0.001.",
        ),
    ],
)
def test_the_rate_of_a_stage_is_told_with_how_it_came_about(rate: Rate, name: str, value: str, reason: str) -> None:
    assert (rate.choice.name, rate.choice.value, rate.choice.reason) == (name, value, reason)


def test_a_rate_in_words_says_what_it_is_on_all_ranks_where_that_is_something_else() -> None:
    assert said(ranks=1).words == "spec.training.optimizer.learningRate 0.001"
    assert said(ranks=16).words == "spec.training.optimizer.learningRate 0.001, which is 0.004 on all ranks"
