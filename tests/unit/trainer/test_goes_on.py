"""What another attempt goes on from: the right sample, whatever its gang's size, and the same data, or a word."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.trainer.stages_alone import Interruption, alone, easy_samples
from trainingrun.curves import epochs
from trainingrun_trainer.checkpoint import Checkpoint, LoopState, MadeWith
from trainingrun_trainer.data.feed import Split
from trainingrun_trainer.data.parts import Fractions, part
from trainingrun_trainer.data.same import digest, require_same_on_all_ranks
from trainingrun_trainer.errors import TrainerError
from trainingrun_trainer.parallel.single import SingleProcess
from trainingrun_trainer.stages.plan import epoch_plan
from trainingrun_trainer.stages.train import train


class OneOf(SingleProcess):
    """A rank of a gang whose others are not there."""

    def __init__(self, rank: int, size: int) -> None:
        super().__init__()
        self.rank, self.size = rank, size


def dealt(output: Path, samples: Split, *, size: int, batch: int, skipped: int = 0, steps: int | None = None) -> list[int]:
    """The samples that a gang of this size trains on, in so many steps of an epoch; all that are left, if none are named."""
    found: list[int] = []
    for rank in range(size):
        context = replace(alone(output, training={"batchSize": batch}).context, gang=OneOf(rank, size))
        mine = epoch_plan(context, samples.training, epoch=1, skipped=skipped).shard
        found += mine.positions[:steps][mine.weights[:steps] > 0].tolist()
    return found


@pytest.mark.parametrize(
    ("before", "after"),
    [((4, 2), (2, 3)), ((1, 7), (8, 1)), ((3, 5), (1, 64))],
    ids=["4 to 2", "1 to 8", "3 to 1, larger batches"],
)
@pytest.mark.parametrize("steps", [1, 3])
def test_a_gang_of_another_size_begins_with_the_first_sample_that_is_left(
    tmp_path: Path, before: tuple[int, int], after: tuple[int, int], steps: int
) -> None:
    samples = easy_samples(140)  # 70 to train on
    done = dealt(tmp_path, samples, size=before[0], batch=before[1], steps=steps)
    made = MadeWith(ranks=before[0], step_samples=before[0] * before[1])
    checkpoint = Checkpoint(state=LoopState(epoch=1, step=steps), weights=[], optimizer=[], best=[], made_with=made)
    gang = MadeWith(ranks=after[0], step_samples=after[0] * after[1])
    state = checkpoint.state_for(gang, samples=70)
    assert (state.step, state.skipped) == (0, len(done))
    left = dealt(tmp_path, samples, size=after[0], batch=after[1], skipped=state.skipped)
    assert sorted([*done, *left]) == list(range(70))


def test_as_many_samples_a_step_take_the_same_steps() -> None:
    made = MadeWith(ranks=2, step_samples=32)
    checkpoint = Checkpoint(LoopState(epoch=1, step=3), weights=[], optimizer=[], best=[], made_with=made)
    assert checkpoint.state_for(MadeWith(ranks=4, step_samples=32), samples=100) == checkpoint.state


def test_the_rates_of_what_is_left_are_those_of_the_end_of_the_epoch(tmp_path: Path) -> None:
    samples = easy_samples(140)
    context = alone(tmp_path, training={"batchSize": 7, "epochs": 3, "schedule": {"type": "Cosine"}}).context
    whole = epoch_plan(context, samples.training, epoch=1)
    rest = epoch_plan(context, samples.training, epoch=1, skipped=35)
    assert (len(rest.learning_rates), rest.before) == (5, whole.before + 5)
    assert rest.learning_rates.tolist() == whole.learning_rates[5:].tolist()


@pytest.mark.parametrize("batch", [7, 30, 60], ids=["smaller steps", "larger steps", "one step"])
def test_training_goes_on_with_steps_of_another_size(tmp_path: Path, batch: int) -> None:
    samples, training = easy_samples(120), {"epochs": 3, "batchSize": 20}
    first = alone(tmp_path, is_interrupted=Interruption(1), training=training)
    with pytest.raises(TrainerError, match=r"Told to stop in epoch 1, step 2"):
        train(first.context, first.network(samples), samples)
    second = alone(tmp_path, attempt=2, training={**training, "batchSize": batch})
    resumed = train(second.context, second.network(samples), samples)
    assert resumed.samples == [[20], [60], [60]]  # 40 of the first epoch were done
    steps = [report.step for report in second.notes.reports if report.step]
    assert steps == sorted(steps)
    assert steps[-1] == second.notes.reports[-1].steps


def test_the_log_of_an_attempt_that_goes_on_has_the_epochs_before(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    samples, training = easy_samples(120), {"epochs": 3, "batchSize": 20}
    first = alone(tmp_path, is_interrupted=Interruption(6), training=training)
    with pytest.raises(TrainerError, match=r"Told to stop in epoch [23]"):
        train(first.context, first.network(samples), samples)
    before = epochs(capsys.readouterr().out.splitlines())
    second = alone(tmp_path, attempt=2, training=training)
    state = train(second.context, second.network(samples), samples)
    told = epochs(capsys.readouterr().out.splitlines())
    assert [(epoch.number, epoch.is_repeated) for epoch in told] == [(number, number <= len(before)) for number in range(1, 4)]
    assert [epoch.metrics for epoch in told[: len(before)]] == [epoch.metrics for epoch in before]
    assert before
    assert told[-1].metrics == pytest.approx(state.history[-1], abs=1e-4)


def test_data_that_has_changed_between_two_attempts_is_said(tmp_path: Path) -> None:
    samples = replace(easy_samples(), sha256="a" * 64)
    training = {"epochs": 2, "batchSize": 20}
    first = alone(tmp_path, is_interrupted=Interruption(4), training=training)
    with pytest.raises(TrainerError, match="Told to stop"):
        train(first.context, first.network(samples), samples)
    second = alone(tmp_path, attempt=2, training=training)
    changed = replace(samples, sha256="b" * 64)
    with pytest.raises(TrainerError, match="The data has changed since the checkpoint at pvc://models") as other:
        train(second.context, second.network(samples), changed)
    assert other.value.cause == "BadData"
    assert "spec.rerun" in other.value.hint


LABELS = np.arange(100) % 2
SAME = ("data", part(LABELS, Fractions(0.1, 0.1), seed=1))
OTHER = {
    "other data": ("changed", SAME[1]),
    "another seed": ("data", part(LABELS, Fractions(0.1, 0.1), seed=2)),
    "another fraction": ("data", part(LABELS, Fractions(0.2, 0), seed=1)),
    "validation for test": ("data", SAME[1]._replace(validation=SAME[1].test, test=SAME[1].validation)),
}


@pytest.mark.parametrize("other", OTHER.values(), ids=OTHER)
def test_a_digest_is_of_the_data_and_of_what_is_held_out(other: Any) -> None:
    assert digest(*SAME) == digest(*SAME)
    assert digest(*other) != digest(*SAME)


class Others(SingleProcess):
    """Rank 0 of a gang whose other ranks have passed these bytes."""

    def __init__(self, *others: bytes) -> None:
        super().__init__()
        self._others = others

    def gather(self, values: Any) -> Any:
        if values.shape == (1,):
            return np.array([values, *([float(len(other))] for other in self._others)])
        return np.array([values, *(np.frombuffer(other.ljust(8 * len(values), b"\0")).copy() for other in self._others)])


def test_a_rank_that_reads_other_data_is_named() -> None:
    require_same_on_all_ranks(Others(b"a" * 64, b"a" * 64), "a" * 64)
    with pytest.raises(TrainerError, match="Rank 2 of 1 has read other data than rank 0") as refused:
        require_same_on_all_ranks(Others(b"a" * 64, b"b" * 64), "a" * 64)
    assert refused.value.exit_code == 65
