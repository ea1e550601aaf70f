"""What becomes of `Auto`: the decisions as values, and the stage on one rank alone."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.trainer.stages_alone import Interruption, alone, easy_samples
from tests.unit.trainer.writing import CLAIM
from trainingrun_trainer import fence
from trainingrun_trainer.choosing import batch_size, learning_rate
from trainingrun_trainer.choosing.found import LEARNING_RATE, Found, Note
from trainingrun_trainer.choosing.note import write_down
from trainingrun_trainer.data.source import load_split
from trainingrun_trainer.errors import TrainerError
from trainingrun_trainer.stages.choose import choose
from trainingrun_trainer.stages.schedule import training_rates
from trainingrun_trainer.stages.tell import tell

AUTO = {"epochs": 1, "batchSize": "Auto", "optimizer": {"learningRate": "Auto"}}


def searched(speeds: dict[int, float], *, limit: int = 65536, **state: Any) -> tuple[Found, list[int]]:
    """What a search finds when sizes have these speeds, and the sizes that it measured."""
    tried: list[int] = []

    def note(size: int, rows: Sequence[Any]) -> None:
        tried.append(size)
        assert len(rows) == len(tried) - 1 + len(state.get("measured", ()))

    found = batch_size.search(lambda size: speeds[size], limit=limit, note=note, **{"measured": (), "lost": None, **state})
    return found, tried


def test_a_batch_is_doubled_until_the_gang_gains_less_than_a_twentieth() -> None:
    found, tried = searched({16: 100, 32: 190, 64: 202, 128: 211, 256: 900})
    assert (found.value, tried) == ("64", [16, 32, 64, 128])
    assert found.reason == "202 samples/s of all ranks with 64; with 128 they are 211, less than 5 % more."
    assert [row["samplesPerSecond"] for row in found.measured] == [100, 190, 202, 211]


def test_a_batch_is_not_doubled_beyond_the_limit() -> None:
    found, tried = searched({16: 100, 32: 200, 64: 400}, limit=100)
    assert (found.value, tried) == ("64", [16, 32, 64])
    assert "fewer than 32 steps in an epoch (at most 100)" in found.reason


def test_a_size_that_an_attempt_did_not_survive_is_not_tried_again() -> None:
    measured = ({"batchSize": 16.0, "samplesPerSecond": 100.0}, {"batchSize": 32.0, "samplesPerSecond": 190.0})
    found, tried = searched({}, measured=measured, lost=64)
    assert (found.value, tried) == ("32", [])
    assert "with 64 an attempt ran out of memory or was killed" in found.reason


def test_an_attempt_that_was_lost_with_the_smallest_size_begins_again() -> None:
    found, tried = searched({16: 100, 32: 101}, lost=16)
    assert (found.value, tried) == ("16", [16, 32])


@pytest.mark.parametrize(("samples", "batches", "expected"), [(9000, 1, 281), (9000, 4, 70), (10, 1, 16), (10**9, 1, 65536)])
def test_the_limit_leaves_steps_in_an_epoch(samples: int, batches: int, expected: int) -> None:
    assert batch_size.largest(samples, batches=batches) == expected


def valley(rate: float, *, bottom: float) -> float:
    """A loss that falls until a rate and explodes after three times of it."""
    return 2.3 - 2 * min(1.0, rate / bottom) if rate < 3 * bottom else 1e4


@pytest.mark.parametrize("bottom", [0.01, 0.1])
def test_the_rate_is_a_tenth_of_that_where_the_loss_is_smallest(bottom: float) -> None:
    losses: list[float] = []
    for rate in learning_rate.ramp():
        losses.append(valley(float(rate), bottom=bottom))
        if learning_rate.has_exploded(losses):
            break
    assert len(losses) < learning_rate.STEPS
    found = learning_rate.conclude(losses)
    assert bottom / 10 <= float(found.value) <= 3 * bottom / 10
    assert len(found.measured) == len(losses)


def test_a_loss_that_is_no_number_ends_the_test_and_counts_for_nothing() -> None:
    assert learning_rate.has_exploded([2.0, float("nan")])
    assert learning_rate.conclude([2.0, 1.0, float("nan")]).measured[-1]["loss"] == 1.0


@pytest.mark.parametrize("first", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("others", [[], [1.0, 0.5]])
def test_a_loss_that_is_no_number_from_the_first_step_on_is_a_sentence(first: float, others: list[float]) -> None:
    with pytest.raises(TrainerError, match=f"The loss is {first} in the first step of the range test") as refused:
        learning_rate.conclude([first, *others])
    assert refused.value.cause == "NotANumber"
    assert "data has no NaN" in refused.value.hint


def test_data_without_numbers_ends_the_choice_of_a_learning_rate(tmp_path: Path) -> None:
    rank, samples = alone(tmp_path, training={"epochs": 1, "optimizer": {"learningRate": "Auto"}}), easy_samples(40)
    network = rank.network(samples)
    network.set_weights([np.full_like(weight, np.nan) for weight in network.get_weights()])
    fence.claim(rank.paths)
    with pytest.raises(TrainerError, match="in the first step of the range test") as refused:
        choose(rank.context, network, samples.training)
    assert refused.value.cause == "NotANumber"


SEARCH = {
    "parameters": [{"name": "training.optimizer.name", "categorical": ["Adam"]}],
    "trials": 1,
    "epochsPerTrial": 1,
}


@pytest.mark.parametrize(
    ("optimizer", "scaling", "factor"),
    [
        ("Adam", "Auto", 4.0),
        ("SGD", "Auto", 4.0),
        ("SGD", "Linear", 16.0),
        ("Adam", "Linear", 16.0),
        ("SGD", "SquareRoot", 4.0),
        ("SGD", "None", 1.0),
    ],
)
def test_a_rate_that_the_whole_gang_has_measured_is_that_of_one_rank_in_a_trial_and_scaled_once(
    tmp_path: Path, optimizer: str, scaling: str, factor: float
) -> None:
    training = {"epochs": 1, "optimizer": {"name": optimizer, "learningRate": "Auto"}, "schedule": {"scaling": scaling}}
    rank, samples = alone(tmp_path, training=training, backwardPassesPerStep=16, tuning=SEARCH), easy_samples(40)
    fence.claim(rank.paths)
    write_down(rank.context, Note(found=(Found(LEARNING_RATE, "0.032", "measured"),)))
    chosen = choose(rank.context, rank.network(samples), samples.training).config.training
    assert float(chosen.optimizer.learning_rate) == pytest.approx(0.032 / factor)
    assert training_rates(chosen, batches=16, steps=1).target == pytest.approx(0.032)


def test_a_note_survives_being_written() -> None:
    note = Note(
        found=(Found("training.batchSize", "64", "because", measured=({"batchSize": 64.0},)),),
        trying=128,
        measured=({"batchSize": 16.0},),
    )
    assert Note.decode(note.encode()) == note
    assert Note.decode(b"") == Note()


def test_auto_becomes_numbers_and_leaves_the_network_as_it_was(tmp_path: Path) -> None:
    rank, samples = alone(tmp_path, training=AUTO), easy_samples(120)
    network = rank.network(samples)
    before = network.get_weights()
    fence.claim(rank.paths)
    decided = Found("data.npz.divisor", "255", "The images are bytes.")
    chosen = choose(replace(rank.context, found=(decided,)), network, samples.training)
    assert chosen.batch_size == 16
    assert 1e-6 < float(chosen.config.training.optimizer.learning_rate) < 1
    assert chosen.config.training.schedule.scaling == "None"
    assert all((one == other).all() for one, other in zip(before, network.get_weights(), strict=True))
    names = ["data.npz.divisor", "training.batchSize", "training.optimizer.learningRate"]
    assert [choice.name for choice in rank.notes.reports[-1].choices] == names
    assert [found.name for found in chosen.found] == names
    assert [found.name for found in Note.decode(rank.paths.choices.read()).found] == names[1:]  # data is looked at again


def test_a_later_attempt_takes_what_was_found_and_measures_nothing(tmp_path: Path) -> None:
    first, samples = alone(tmp_path, training=AUTO), easy_samples(120)
    fence.claim(first.paths)
    found = choose(first.context, first.network(samples), samples.training).found
    second = alone(tmp_path, attempt=2, training=AUTO)
    again = choose(second.context, second.network(samples), samples.training)
    assert again.found == found
    assert len(second.notes.reports) == 2  # the stage begins, and has its values


def test_an_attempt_that_is_told_to_stop_leaves_no_suspicion(tmp_path: Path) -> None:
    rank, samples = alone(tmp_path, training=AUTO, is_interrupted=Interruption(2)), easy_samples(120)
    fence.claim(rank.paths)
    with pytest.raises(TrainerError, match="Told to stop while choosing") as told:
        choose(rank.context, rank.network(samples), samples.training)
    assert told.value.exit_code == 75
    assert Note.decode(rank.paths.choices.read()) == Note()


def test_without_auto_nothing_happens(tmp_path: Path) -> None:
    rank, samples = alone(tmp_path), easy_samples(120)
    context = rank.context
    assert choose(context, rank.network(samples), samples.training) is context
    np.testing.assert_equal(rank.notes.reports, [])


@pytest.mark.parametrize(
    ("inputs", "first", "told"),
    [
        (np.linspace(0, 255, 640).reshape(40, 4, 4), 1, {"data.npz.divisor": "255", "data.labels": "4 numbers from 1 to 4"}),
        (np.linspace(0, 255, 640).reshape(40, 4, 4), 0, {"data.npz.divisor": "255"}),
        (np.linspace(0, 1, 640).reshape(40, 4, 4), 10, {"data.labels": "4 numbers from 10 to 13"}),
        (np.linspace(0, 1, 640).reshape(40, 4, 4), 0, {}),
    ],
)
def test_what_the_data_has_decided_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], inputs: Any, first: int, told: dict[str, str]
) -> None:
    np.savez(tmp_path / "mnist.npz", x_train=inputs, y_train=np.arange(40) % 4 + first)
    rank = alone(tmp_path, environment={"TRAININGRUN_DATA_MOUNT": str(tmp_path)}, data={"source": CLAIM, "format": "NPZ"})
    context = tell(rank.context, load_split(rank.context)[1].found)
    assert {found.name: found.value for found in context.found} == told
    assert {choice.name: choice.value for choice in rank.notes.reports[-1].choices} == told
    log = capsys.readouterr().out
    assert all(f"{name}: {value}. " in log for name, value in told.items())
