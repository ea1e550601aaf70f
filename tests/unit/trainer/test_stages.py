"""What stages report and how they stop, step by step, on one rank alone."""

from pathlib import Path

import pytest

from tests.manifests import a_manifest
from tests.unit.trainer.stages_alone import Interruption, Notes, alone, easy_samples
from trainingrun.api import TrainingRunSpec
from trainingrun.contract import ProgressReport, Stage
from trainingrun.stages import parts_of
from trainingrun_trainer.data.feed import Batches
from trainingrun_trainer.data.shard import shard
from trainingrun_trainer.errors import TrainerError
from trainingrun_trainer.progress import Progress
from trainingrun_trainer.stages.calls import CallLength, in_calls
from trainingrun_trainer.stages.choose import choose
from trainingrun_trainer.stages.compress import compress
from trainingrun_trainer.stages.evaluate import evaluate
from trainingrun_trainer.stages.train import train


def renewed(reports: list[ProgressReport]) -> bool:
    """Whether every report is newer than the one before."""
    moments = [report.updated_at for report in reports]
    return moments == sorted(set(moments))


def test_an_evaluation_reports_every_call_and_arrives_at_its_last_step(tmp_path: Path) -> None:
    samples = easy_samples(120)
    rank = alone(tmp_path, training={"epochs": 1, "batchSize": 1})
    evaluate(rank.context, rank.network(samples), samples)
    reports = rank.notes.reports
    assert {(report.stage, report.steps) for report in reports} == {(Stage.EVALUATING, 60)}
    assert len(reports) > 5
    assert [report.step for report in reports] == sorted({report.step for report in reports})
    assert (reports[0].step, reports[-1].step, reports[-1].percent) == (0, 60, 100)
    assert reports[-1].moments.first_step is None
    assert renewed(reports)


def test_a_validation_renews_the_report_at_every_call_and_moves_no_counter(tmp_path: Path) -> None:
    samples = easy_samples(120)
    rank = alone(tmp_path, training={"epochs": 1, "batchSize": 1})
    train(rank.context, rank.network(samples), samples)
    reports = rank.notes.reports
    last_step = next(index for index, report in enumerate(reports) if report.step == 60)
    validating = [report for report in reports[last_step + 1 :] if report.epoch == 0]
    assert len(validating) >= 2
    assert {report.step for report in validating} == {60}
    assert renewed(reports)


@pytest.mark.parametrize(
    ("taken", "seconds", "expected"),
    [
        ("2 steps at once", 1e-6, 10),
        ("2 steps and a trace", 0.5, 2),
        ("2 steps in a minute", 60.0, 1),
    ],
)
def test_the_second_call_is_as_long_as_the_first_one_allows(taken: str, seconds: float, expected: int) -> None:
    assert CallLength().wish(steps=2, seconds=seconds) == expected, taken


def test_calls_of_steady_steps_grow_until_they_take_half_a_second_and_no_further() -> None:
    length, taken = CallLength(), []
    for _ in range(8):
        taken.append(length.steps)
        length.agree(int(length.wish(steps=length.steps, seconds=length.steps * 0.01)))
    assert taken == [2, 10, 20, 40, 50, 50, 50, 50]


def test_calls_take_every_step_once_and_add_up_what_it_measured(tmp_path: Path) -> None:
    taken: list[int] = []

    def run(batches: Batches, first: int) -> list[float]:
        steps = len(batches.rows)
        taken.extend(range(first, first + steps))
        return [float(steps), 0.0, 1.0]

    feed = easy_samples(80).training
    part = shard(40, batch=1, rank=0, size=1)
    calls = list(in_calls(alone(tmp_path).context, run, feed, part, first=3, length=CallLength()))
    assert taken == list(range(3, 40))
    assert sum(call.sums[0] for call in calls) == 37
    assert calls[-1].end == 40


def test_an_evaluation_stops_at_the_next_call_when_it_is_told_to(tmp_path: Path) -> None:
    samples = easy_samples(120)
    rank = alone(tmp_path, is_interrupted=Interruption(2), training={"epochs": 1, "batchSize": 1})
    with pytest.raises(TrainerError, match="Told to stop while evaluating") as told:
        evaluate(rank.context, rank.network(samples), samples)
    assert told.value.exit_code == 75
    assert rank.notes.reports[-1].step < 60


def test_a_run_that_is_interrupted_while_it_validates_goes_on_with_the_same_numbers(tmp_path: Path) -> None:
    samples = easy_samples(120)
    training = {"epochs": 3, "batchSize": 60}  # one step of training and one of validation per epoch
    whole = alone(tmp_path / "whole", training=training)
    undisturbed = train(whole.context, whole.network(samples), samples)

    first = alone(tmp_path / "cut", is_interrupted=Interruption(4), training=training)
    with pytest.raises(TrainerError, match="Told to stop in epoch 2, step 1; the state is saved"):
        train(first.context, first.network(samples), samples)
    second = alone(tmp_path / "cut", attempt=2, training=training)
    resumed = train(second.context, second.network(samples), samples)
    assert resumed.samples == undisturbed.samples == [[60]] * 3
    assert [entry["val_loss"] for entry in resumed.history] == pytest.approx(
        [entry["val_loss"] for entry in undisturbed.history], rel=1e-6
    )


def test_a_run_reports_its_stages_in_the_order_that_its_progress_is_told_by(tmp_path: Path) -> None:
    compression = {
        "pruning": {"finalSparsities": ["0.5", "0.8"], "epochs": 1},
        "quantization": {"mode": "Int8Aware", "epochs": 1, "calibrationSamples": 10},
    }
    training = {"epochs": 1, "batchSize": "Auto"}
    samples = easy_samples(40)
    rank = alone(tmp_path, training=training, compression=compression)
    network = rank.network(samples)
    context = choose(rank.context, network, samples.training)
    train(context, network, samples)
    compress(context, network, samples)
    evaluate(context, network, samples)

    said = list(dict.fromkeys((report.stage, report.turn) for report in rank.notes.reports if report.turn))
    parts = parts_of(TrainingRunSpec.model_validate(a_manifest(spec__training=training, spec__compression=compression)["spec"]))
    expected = [part for part in parts if part.stage is not None]
    assert [stage for stage, _ in said] == [part.stage for part in expected]
    assert [turn for stage, turn in said if stage is Stage.QUANTIZING] == [1, 2, 3, 4]
    epochs = {(report.stage, report.turn): report.epochs for report in rank.notes.reports}
    assert [epochs[place] for place in said] == [part.epochs for part in expected]


def test_a_stage_that_goes_on_says_at_once_how_far_it_had_come(tmp_path: Path) -> None:
    samples, training = easy_samples(120), {"epochs": 4, "batchSize": 6}  # 10 steps of each epoch
    first = alone(tmp_path, training=training | {"epochs": 2})
    train(first.context, first.network(samples), samples)
    second = alone(tmp_path, attempt=2, training=training)
    train(second.context, second.network(samples), samples)
    begun = next(report for report in second.notes.reports if report.stage is Stage.TRAINING)
    assert (begun.epoch, begun.step, begun.steps, begun.percent) == (2, 20, 40, 50)


def test_what_an_epoch_takes_is_measured_where_there_are_epochs() -> None:
    notes, moments = Notes(), iter([0.0, 1.0, 2.0])
    progress = Progress(notes, attempt=1, speaks=True, clock=lambda: next(moments))
    progress.stage(Stage.TRAINING, epochs=4, steps=40)
    progress.step(step=2, samples=8)
    progress.step(step=7, samples=8)
    assert notes.reports[-1].epoch_milliseconds == 2000, "5 steps a second, 10 of an epoch"
    progress.stage(Stage.EVALUATING, steps=10)
    progress.step(step=1, samples=8)
    assert notes.reports[-1].epoch_milliseconds is None
