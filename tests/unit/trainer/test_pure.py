"""Schedules, early stopping, checkpoints, verdicts and last words: values in, values out."""

from pathlib import Path

import numpy as np
import pytest

from trainingrun.api import EarlyStopping, Model, Training
from trainingrun_trainer import checkpoint as checkpoints
from trainingrun_trainer.agent.verdict import Ended, first_cause, judge, last_word
from trainingrun_trainer.checkpoint import Checkpoint, LoopState
from trainingrun_trainer.errors import TrainerError
from trainingrun_trainer.messages import Message
from trainingrun_trainer.models.parameters import builtin_parameters
from trainingrun_trainer.output.volume import VolumePlace
from trainingrun_trainer.rank import unexpected
from trainingrun_trainer.stages.early_stopping import judge_epoch
from trainingrun_trainer.stages.schedule import training_rates


def a_training(**changes: object) -> Training:
    return Training.model_validate({"epochs": 10, **changes})


def test_warm_up_rises_by_equal_steps_to_the_scaled_rate() -> None:
    training = a_training(schedule={"warmupEpochs": 2, "scaling": "Linear"})
    rates = np.concatenate([training_rates(training, batches=4, steps=5).of_epoch(epoch) for epoch in range(3)])
    assert rates[0] > 0.001
    np.testing.assert_allclose(np.diff(rates[:10]), 0.0003, rtol=1e-3)
    np.testing.assert_allclose(rates[9:], 0.004, rtol=1e-5)


def whole_course(training: Training, *, steps: int = 5) -> list[float]:
    rates = [training_rates(training, batches=1, steps=steps).of_epoch(epoch) for epoch in range(training.epochs)]
    return [float(rate) for rate in np.concatenate(rates)]


def test_a_cosine_falls_from_the_rate_to_zero_and_only_after_the_warm_up() -> None:
    course = whole_course(a_training(schedule={"type": "Cosine", "warmupEpochs": 2}))
    assert course[9] == course[10] == pytest.approx(0.001)
    assert course[30] == pytest.approx(0.0005)
    assert course[10:] == sorted(course[10:], reverse=True)
    assert 0 < course[-1] < 0.001 * 0.01


def test_steps_divide_the_rate_at_their_epochs() -> None:
    course = whole_course(a_training(epochs=5, schedule={"type": "Step", "stepEpochs": 2, "stepFactor": "0.5"}))
    assert course == pytest.approx([0.001] * 10 + [0.0005] * 10 + [0.00025] * 5)


def test_early_stopping_waits_for_its_patience_and_remembers_the_best() -> None:
    state, settings = LoopState(), EarlyStopping(patience=2)
    best = []
    for epoch, loss in enumerate([1.0, 0.5, 0.6, 0.7], start=1):
        state.epoch = epoch
        best.append(judge_epoch(state, settings, metrics={"val_loss": loss}))
    assert best == [True, True, False, False]
    assert (state.stopped, state.best_epoch) == (True, 2)


def test_an_accuracy_improves_upwards_and_by_more_than_the_minimum() -> None:
    state = LoopState()
    settings = EarlyStopping.model_validate({"metric": "val_accuracy", "patience": 9, "minimumDelta": "0.1"})
    assert [judge_epoch(state, settings, metrics={"val_accuracy": value}) for value in (0.5, 0.55, 0.7)] == [True, False, True]


def a_checkpoint(epoch: int, *, step: int = 0) -> Checkpoint:
    array = np.full((2, 3), float(epoch), dtype=np.float32)
    many = [np.full(1, index, dtype=np.int64) for index in range(12)]
    return Checkpoint(state=LoopState(epoch=epoch, step=step), weights=[array], optimizer=many, best=[array, array])


def test_a_checkpoint_is_read_as_it_was_written() -> None:
    decoded = Checkpoint.decode(*a_checkpoint(3).encode())
    assert decoded.state == LoopState(epoch=3)
    assert [int(array[0]) for array in decoded.optimizer] == list(range(12))
    assert (decoded.best[1] == 3).all()


def place(path: Path) -> VolumePlace:
    return VolumePlace(path, "pvc://models")


def test_the_checkpoint_that_got_furthest_is_taken_whoever_wrote_it(tmp_path: Path) -> None:
    for attempt, epoch in ((1, 4), (2, 2), (7, 9)):
        checkpoints.save(a_checkpoint(epoch), folder=place(tmp_path / str(attempt)), keep=2)
    found = checkpoints.newest(place(tmp_path), before=3)
    assert found is not None
    assert Checkpoint.decode(*found).state.epoch == 4


def test_a_damaged_checkpoint_is_passed_over(tmp_path: Path) -> None:
    for epoch in (1, 2):
        checkpoints.save(a_checkpoint(epoch), folder=place(tmp_path / "1"), keep=2)
    newest = sorted((tmp_path / "1").glob("*.npz"))[-1]
    newest.write_bytes(newest.read_bytes()[:-10])
    found = checkpoints.newest(place(tmp_path), before=1)
    assert found is not None
    assert Checkpoint.decode(*found).state.epoch == 1


def test_only_the_newest_checkpoints_are_kept(tmp_path: Path) -> None:
    for epoch in range(5):
        checkpoints.save(a_checkpoint(epoch), folder=place(tmp_path), keep=2)
    assert [path.name for path in sorted(tmp_path.glob("*.json"))] == [
        "checkpoint-00000003-00000000.json",
        "checkpoint-00000004-00000000.json",
    ]


def test_an_output_that_cannot_be_written_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TrainerError, match="The output cannot be written at"):
        checkpoints.save(a_checkpoint(1), folder=place(tmp_path / "file"), keep=1)


def failing(code: int, cause: str = "X") -> Message:
    return Message(kind="failed", exit_code=code, cause=cause, text="because")


def test_a_rank_is_judged_by_its_own_words_else_by_how_it_ended() -> None:
    assert judge(Ended(rank=1, code=65, last=failing(65, "BadData"))).cause == "BadData"
    assert judge(Ended(rank=1, code=-9)).signal == 9
    assert judge(Ended(rank=1, code=-9)).cause == "RankKilled"
    assert judge(Ended(rank=1, code=3)).cause == "RankFailed"
    assert judge(Ended(rank=1, code=0)).cause is None


def test_a_rank_that_only_lost_its_peers_is_not_the_cause() -> None:
    ended = [Ended(rank=0, code=69, last=failing(69)), Ended(rank=1, code=75, last=failing(75)), Ended(rank=2, code=-9)]
    assert first_cause(ended).rank == 2


LOST_PEER = Ended(rank=0, code=69, last=failing(69, "PeerLost"))
STOPPED = Ended(rank=0, code=75, last=failing(75, "Interrupted"))


@pytest.mark.parametrize(
    ("ended", "late", "cause", "words"),
    [
        ([LOST_PEER], [], "Interrupted", "Told to stop. Rank 0 ended without having saved the state, for which there are 4 s"),
        ([LOST_PEER], [1], "Interrupted", "Told to stop. Ranks 0, 1 ended without"),
        ([], [1], "Interrupted", "Told to stop. Rank 1 ended without"),
        ([STOPPED, Ended(rank=1, code=69, last=failing(69, "PeerLost"))], [], "Interrupted", "because"),
        ([LOST_PEER, Ended(rank=1, code=-9)], [], "RankKilled", "Rank 1 was ended by signal 9"),
        ([Ended(rank=0, code=0)], [], None, ""),
    ],
    ids=["a lost peer", "one lost, one late", "late", "one has saved", "killed", "finished"],
)
def test_of_a_worker_that_was_told_to_stop_a_lost_peer_is_no_failure(
    ended: list[Ended], late: list[int], cause: str | None, words: str
) -> None:
    verdict = last_word(ended, late=late, patience=4.0)
    assert (verdict.cause, verdict.message.startswith(words)) == (cause, True)


def test_of_a_worker_that_was_not_told_to_stop_a_lost_peer_is_the_reason() -> None:
    otherwise = judge(Ended(rank=7, code=3))
    assert last_word([LOST_PEER], late=[], patience=None, otherwise=otherwise).cause == "PeerLost"
    assert last_word([], late=[1], patience=None, otherwise=otherwise) == otherwise


def test_the_parameters_of_a_network_have_defaults_and_are_checked() -> None:
    mlp = builtin_parameters(
        Model.model_validate({"builtin": {"type": "MLP"}, "parameters": [{"name": "dropout", "value": "0.2"}]})
    )
    assert (mlp.hidden_units, mlp.dropout) == ((128,), 0.2)
    with pytest.raises(TrainerError, match="depth is no parameter"):
        builtin_parameters(Model.model_validate({"builtin": {"type": "MLP"}, "parameters": [{"name": "depth", "value": "3"}]}))


class ResourceExhaustedError(Exception):
    """As TensorFlow has one."""


@pytest.mark.parametrize(
    "problem",
    [
        MemoryError("Unable to allocate 3 GiB"),
        ResourceExhaustedError("Graph execution error:\n\nOOM when allocating tensor with shape[9999,512]"),
        RuntimeError("CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError("std::bad_alloc"),
    ],
    ids=["numpy", "tensorflow", "cudnn", "c++"],
)
def test_memory_that_was_not_enough_is_told_with_a_way_out(problem: Exception) -> None:
    message = unexpected(problem)
    assert (message.cause, message.exit_code) == ("OOMKilled", 70)
    assert message.text.startswith("The memory was not enough: ")
    assert "spec.training.batchSize" in message.hint
    assert "spec.strategy.backwardPassesPerStep" in message.hint


@pytest.mark.parametrize(
    "problem",
    [
        ResourceExhaustedError("model.index; No space left on device"),
        ValueError("batch 3"),
        OSError(28, "No space left on device"),
    ],
    ids=["a full disk", "another error", "the system's words"],
)
def test_a_full_disk_is_no_memory(problem: Exception) -> None:
    assert unexpected(problem).cause == "RankFailed"


def test_an_unexpected_error_is_told_by_the_line_that_says_something() -> None:
    graph = "Graph execution error:\n\nDetected at node MatMul\nMatrix size-incompatible: [2,3], [4,5]\n\t [[{{node MatMul}}]]"
    assert unexpected(ValueError(graph)).text == "ValueError: Matrix size-incompatible: [2,3], [4,5]"
    assert unexpected(ValueError("first\nsecond")).text == "ValueError: first"
    assert unexpected(ValueError()).text == "ValueError: "
