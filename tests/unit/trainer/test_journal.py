"""`metrics.jsonl` and the TensorBoard logs: every epoch once, across attempts, on both kinds of output."""

import errno
import json
import time
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from tests.unit.trainer.stages_alone import Alone, alone, easy_samples
from tests.unit.trainer.stumbling_disk import StumblingDisk, mounted
from trainingrun_trainer import fence
from trainingrun_trainer.checkpoint import LoopState
from trainingrun_trainer.errors import TrainerError
from trainingrun_trainer.output.volume import VolumePlace, output_failed
from trainingrun_trainer.patience import Patience
from trainingrun_trainer.stages.journal import EVENTS_FILE, PAUSE_SECONDS, Journal
from trainingrun_trainer.stages.schedule import Rates, training_rates
from trainingrun_trainer.stages.train import train


class Clock:
    """Time that the test lets pass."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def an_epoch(journal: Journal, state: LoopState, clock: Clock, *, seconds: float) -> None:
    """An epoch of 60 samples is done after so many seconds."""
    clock.now += seconds
    state.epoch += 1
    state.history.append({"loss": 1 / state.epoch, "val_accuracy": 0.5})
    state.samples.append([40, 20])
    journal.epoch_done(state)


def rates(rank: Alone) -> Rates:
    """Of 30 steps in an epoch."""
    return training_rates(rank.config.training, batches=1, steps=30)


def lines(rank: Alone) -> list[dict[str, Any]]:
    return [json.loads(line) for line in rank.paths.run.join("metrics.jsonl").read().splitlines()]


def events(rank: Alone) -> list[Any]:
    """The events of the file as TensorFlow reads it."""
    path = rank.output / "run" / "tensorboard" / EVENTS_FILE
    return [tf.compat.v1.Event.FromString(record.numpy()) for record in tf.data.TFRecordDataset(str(path))]


def values(event: Any) -> dict[str, float]:
    return {value.tag: value.simple_value for value in event.summary.value}


def test_every_epoch_is_a_line_with_its_metrics_and_its_pace(tmp_path: Path) -> None:
    rank, state, clock = alone(tmp_path, training={"epochs": 4, "optimizer": {"learningRate": "0.01"}}), LoopState(), Clock()
    journal = Journal(rank.context, state, rates=rates(rank), clock=clock)
    for _ in range(2):
        an_epoch(journal, state, clock, seconds=6)
    first, second = lines(rank)
    assert second == {
        "epoch": 2,
        "step": 60,
        "attempt": 1,
        "time": second["time"],
        "seconds": 6.0,
        "samplesPerSecond": 10,
        "learningRate": pytest.approx(0.01),
        "loss": 0.5,
        "val_accuracy": 0.5,
    }
    assert (first["epoch"], first["loss"]) == (1, 1.0)
    assert first["time"] <= second["time"]


def test_tensorboard_finds_the_same_numbers_by_epoch(tmp_path: Path) -> None:
    rank, state, clock = alone(tmp_path), LoopState(), Clock()
    journal = Journal(rank.context, state, rates=rates(rank), clock=clock)
    for _ in range(3):
        an_epoch(journal, state, clock, seconds=6)
    version, *found = events(rank)
    assert version.file_version == "brain.Event:2"
    assert [event.step for event in found] == [1, 2, 3]
    for event, line in zip(found, lines(rank), strict=True):
        assert values(event) == pytest.approx(
            {name: line[name] for name in ("seconds", "samplesPerSecond", "learningRate", "loss", "val_accuracy")}
        )


def test_an_attempt_that_goes_on_keeps_the_epochs_of_its_checkpoint_and_repeats_none(tmp_path: Path) -> None:
    first, state, clock = alone(tmp_path, attempt=1), LoopState(), Clock()
    journal = Journal(first.context, state, rates=rates(first), clock=clock)
    for _ in range(3):
        an_epoch(journal, state, clock, seconds=6)
    # The checkpoint was written after two epochs and some steps of the third.
    kept: dict[str, Any] = {"history": state.history[:2], "samples": state.samples[:2], "notes": state.notes[:2]}
    resumed = LoopState(epoch=2, step=7, **kept)
    second = alone(tmp_path, attempt=2)
    journal = Journal(second.context, resumed, rates=rates(second), clock=clock)
    for _ in range(2):
        an_epoch(journal, resumed, clock, seconds=6)
    assert [(line["epoch"], line["attempt"]) for line in lines(second)] == [(1, 1), (2, 1), (3, 2), (4, 2)]
    assert ["samplesPerSecond" in line for line in lines(second)] == [True, True, False, True]
    assert [event.step for event in events(second)] == [0, 1, 2, 3, 4]


def test_short_epochs_are_written_every_few_seconds_and_at_the_end(tmp_path: Path) -> None:
    rank, state, clock = alone(tmp_path), LoopState(), Clock()
    journal = Journal(rank.context, state, rates=rates(rank), clock=clock)
    an_epoch(journal, state, clock, seconds=0.1)
    assert "metrics.jsonl" not in rank.paths.run.names()
    an_epoch(journal, state, clock, seconds=PAUSE_SECONDS)
    assert len(lines(rank)) == 2
    an_epoch(journal, state, clock, seconds=0.1)
    assert len(lines(rank)) == 2
    journal.close(state)
    journal.close(state)
    assert len(lines(rank)) == len(events(rank)) - 1 == 3


def test_an_attempt_that_is_overtaken_does_not_write_over_the_newer_ones_journal(tmp_path: Path) -> None:
    rank, state, clock = alone(tmp_path, attempt=1), LoopState(), Clock()
    journal = Journal(rank.context, state, rates=rates(rank), clock=clock)
    fence.claim(alone(tmp_path, attempt=2).paths)
    with pytest.raises(TrainerError, match="Attempt 1 ends"):
        an_epoch(journal, state, clock, seconds=6)
    assert rank.paths.run.names() == []


REFUSALS = {
    "a full volume": errno.ENOSPC,
    "a server that is away": errno.ESTALE,
    "a volume that may not be written": errno.EACCES,
}


@pytest.mark.parametrize("number", REFUSALS.values(), ids=REFUSALS)
def test_an_output_that_does_not_take_it_ends_no_run_and_the_next_write_makes_up_for_it(
    tmp_path: Path, number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    rank, state, clock = alone(tmp_path), LoopState(), Clock()
    journal = Journal(rank.context, state, rates=rates(rank), clock=clock)
    an_epoch(journal, state, clock, seconds=6)
    with mounted(StumblingDisk(tmp_path, every=1, errors=[number])):
        for _ in range(3):
            an_epoch(journal, state, clock, seconds=6)
    assert [line["epoch"] for line in lines(rank)] == [1]
    for _ in range(2):
        an_epoch(journal, state, clock, seconds=60)
    assert [line["epoch"] for line in lines(rank)] == [1, 2, 3, 4, 5, 6]
    assert [event.step for event in events(rank)] == [0, 1, 2, 3, 4, 5, 6]
    said = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in said if "metrics are" in line] == [
        "metrics are not written for now",
        "metrics are written again",
    ]


def test_half_a_line_is_not_added_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rank, state, clock = alone(tmp_path), LoopState(), Clock()
    journal = Journal(rank.context, state, rates=rates(rank), clock=clock)
    an_epoch(journal, state, clock, seconds=6)

    def torn(self: VolumePlace, content: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(content[:7])
        raise output_failed(self.path, OSError(errno.EDQUOT, "no more"))

    with monkeypatch.context() as broken:
        broken.setattr(VolumePlace, "append", torn)
        an_epoch(journal, state, clock, seconds=6)
    an_epoch(journal, state, clock, seconds=60)
    assert [line["epoch"] for line in lines(rank)] == [1, 2, 3]


def test_who_is_told_to_stop_saves_the_state_and_not_the_metrics(tmp_path: Path) -> None:
    rank, state, clock = alone(tmp_path), LoopState(), Clock()
    told: list[bool] = []
    rank.patience = Patience(1000.0, is_told=lambda: bool(told), sleep=lambda seconds: told.append(True))
    journal = Journal(rank.context, state, rates=rates(rank), clock=clock)
    with mounted(StumblingDisk(tmp_path, every=1, errors=[errno.EIO])):
        an_epoch(journal, state, clock, seconds=6)
    assert told


def test_metrics_are_tried_ever_more_rarely_and_with_all_patience_at_the_end(tmp_path: Path) -> None:
    rank, state, clock = alone(tmp_path), LoopState(), Clock()
    slept: list[float] = []
    real = time.monotonic
    rank.patience = Patience(100.0, clock=lambda: real() + sum(slept), sleep=slept.append, chance=lambda: 1.0)
    rank.root = VolumePlace(tmp_path, "pvc://models", patience=rank.patience)
    journal = Journal(rank.context, state, rates=rates(rank), clock=clock)
    with mounted(StumblingDisk(tmp_path, every=1, errors=[errno.EIO])):
        for _ in range(12):
            an_epoch(journal, state, clock, seconds=6)
        assert 3 * 0.9 < sum(slept) < 5 * 1.1
        slept.clear()
        journal.close(state)
        assert sum(slept) > 90


def test_training_keeps_a_journal(tmp_path: Path) -> None:
    samples = easy_samples()
    rank = alone(tmp_path, training={"epochs": 3, "batchSize": 20})
    state = train(rank.context, rank.network(samples), samples)
    assert [line["epoch"] for line in lines(rank)] == [1, 2, 3]
    assert [line["step"] for line in lines(rank)] == [3, 6, 9]
    assert [values(event)["val_loss"] for event in events(rank)[1:]] == pytest.approx(
        [epoch["val_loss"] for epoch in state.history]
    )
