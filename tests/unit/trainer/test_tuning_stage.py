"""The stage that tunes, on one rank alone whose desk is in this process."""

import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from tests.unit.trainer.stages_alone import Alone, Interruption, alone, easy_samples
from trainingrun.contract import Cause, ExitCode, Stage
from trainingrun_trainer import fence
from trainingrun_trainer.context import Context
from trainingrun_trainer.data.feed import Feed, Split
from trainingrun_trainer.errors import TrainerError
from trainingrun_trainer.stages.evaluate import evaluation_steps
from trainingrun_trainer.stages.network import first_network
from trainingrun_trainer.stages.trial import config_of_trial
from trainingrun_trainer.stages.tune import tune
from trainingrun_trainer.tuning.clerk import Clerk
from trainingrun_trainer.tuning.desk import Outcome, Turn
from trainingrun_trainer.tuning.journal import Journal, newest

GRID = {"algorithm": "Grid", "scheduler": "None", "epochsPerTrial": 2}
PICKY = """
import tf_keras


def build(input_shape, classes, parameters):
    if parameters["units"] == 0:
        raise ValueError("units must be more than 0")
    layers = [tf_keras.layers.Dense(parameters["units"], activation="relu"), tf_keras.layers.Dense(classes)]
    return tf_keras.Sequential([tf_keras.Input(input_shape), *layers])
"""
RATES = {"name": "training.optimizer.learningRate", "categorical": ["1e-9", "0.01"]}


def a_rank(output: Path, *parameters: dict[str, Any], attempt: int = 1, **tuning: Any) -> Alone:
    """A rank whose grid of parameters is tried for two epochs each."""
    search = {**GRID, "parameters": parameters or (RATES,), **tuning}
    return alone(output, attempt=attempt, training={"epochs": 30, "batchSize": 8}, tuning=search)


def searched(rank: Alone, split: Split | None = None, *, desk: Any = None) -> Context:
    """The context after the search."""
    fence.claim(rank.paths)
    return tune(rank.context, split or easy_samples(), desk=desk or Clerk(rank.config, Journal(rank.paths)))


def events(rank: Alone) -> list[dict[str, Any]]:
    return [json.loads(line) for line in newest(rank.paths).splitlines()]


def ends(rank: Alone) -> list[str]:
    return [each["event"] for each in events(rank) if each["event"] not in ("started", "epoch")]


@dataclass(frozen=True)
class Finished:
    """A search that is over, with what its questioners leave as it is."""

    rank: Alone
    after: Context
    """What training gets."""


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """The search for the better of two learning rates."""
    rank = a_rank(tmp_path_factory.mktemp("usual"))
    return Finished(rank, searched(rank))


def test_the_best_parameters_are_what_training_gets(usual: Finished) -> None:
    rank, after = usual.rank, usual.after
    assert after.config.training.optimizer.learning_rate == 0.01
    assert after.config.training.epochs == 30
    values = {each["trial"]: each["value"] for each in events(rank) if each["event"] == "epoch"}
    assert values[1] > values[0]


@pytest.mark.parametrize(
    ("algorithm", "trials", "said"), [("TPE", 20, True), ("Random", 5, True), ("TPE", 2, False), ("Grid", 20, False)]
)
def test_a_search_with_fewer_values_than_trials_says_so(
    algorithm: str, trials: int, said: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rank = a_rank(tmp_path, algorithm=algorithm, trials=trials, epochsPerTrial=1)
    after = searched(rank)
    assert len(ends(rank)) == 2
    sentence = f"have 2 combinations, fewer than spec.tuning.trials {trials}: each is tried once"
    assert (sentence in capsys.readouterr().out) == said
    assert [(found.name, found.value) for found in after.found] == ([("tuning.trials", "2")] if said else [])


def test_without_a_search_nothing_is_done(tmp_path: Path) -> None:
    context = alone(tmp_path).context
    assert tune(context, easy_samples()) is context


def test_what_the_search_is_like_is_reported(usual: Finished) -> None:
    reports = [report for report in usual.rank.notes.reports if report.stage is Stage.TUNING]
    assert {report.steps for report in reports} == {2}
    assert sorted({report.step for report in reports}) == [0, 1, 2]
    last = reports[-1].tuning
    assert last is not None
    assert (last.trials, last.completed) == (2, 2)
    assert last.best is not None
    assert [(each.name, each.value) for each in last.best.parameters] == [("training.optimizer.learningRate", "0.01")]
    assert reports[-1].moments.first_step is not None


def test_the_course_of_the_search_is_where_people_look_for_it(usual: Finished) -> None:
    lines = [json.loads(line) for line in (usual.rank.output / "run" / "tuning.jsonl").read_text().splitlines()]
    assert [each["event"] for each in lines] == ["started", "epoch", "epoch", "completed"] * 2
    assert lines[0]["parameters"] == {"training.optimizer.learningRate": "1e-9"}
    assert lines[0]["attempt"] == 1


@pytest.mark.parametrize(
    ("parameter", "values"),
    [
        ("model.parameters.hiddenUnits", ["8", "16"]),
        ("training.optimizer.learningRate", ["0.001", "0.01"]),
        ("training.batchSize", ["4", "8"]),
    ],
)
def test_equal_parameters_have_equal_values(tmp_path: Path, parameter: str, values: list[str]) -> None:
    """So a difference between two trials comes from their parameters, and not from what was tried before."""
    loss = {"metric": "val_loss", "goal": "Minimize"}
    rank = a_rank(tmp_path, {"name": parameter, "categorical": values}, objective=loss)
    other = a_rank(tmp_path / "other", {"name": parameter, "categorical": values[::-1]}, objective=loss)
    searched(rank)
    searched(other)
    first = [each["value"] for each in events(rank) if each["event"] == "epoch"]
    second = [each["value"] for each in events(other) if each["event"] == "epoch"]
    assert first == second[2:] + second[:2]
    assert first[:2] != first[2:]


@pytest.mark.parametrize(
    ("parameter", "builds"),
    [
        ({"name": "training.optimizer.learningRate", "categorical": ["0.001", "0.01", "0.1"]}, 1),
        ({"name": "training.batchSize", "categorical": ["4", "8", "16"]}, 1),
        ({"name": "training.schedule.type", "categorical": ["Constant", "Cosine"]}, 1),
        ({"name": "model.parameters.hiddenUnits", "categorical": ["4", "8", "16"]}, 3),
        ({"name": "training.regularization.l2", "categorical": ["0.1", "0.2"]}, 2),
        ({"name": "training.optimizer.name", "categorical": ["Adam", "SGD"]}, 2),
    ],
    ids=lambda value: value["name"] if isinstance(value, dict) else "",
)
def test_a_network_and_its_graphs_are_built_again_only_when_others_are_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parameter: dict[str, Any], builds: int
) -> None:
    built: list[Context] = []

    def build(context: Context, split: Split) -> Any:
        built.append(context)
        return first_network(context, split)

    measuring: list[Any] = []

    def measure(network: Any, feed: Feed) -> Any:
        measuring.append(network)
        return evaluation_steps(network, feed)

    monkeypatch.setattr("trainingrun_trainer.stages.trial_graphs.first_network", build)
    monkeypatch.setattr("trainingrun_trainer.stages.trial_graphs.evaluation_steps", measure)
    searched(a_rank(tmp_path, parameter))
    assert len(built) == builds
    assert len(measuring) == builds


BY_TURNS = (
    {"name": "training.optimizer.learningRate", "categorical": ["0.001", "0.01"]},
    {"name": "model.parameters.hiddenUnits", "categorical": ["4", "8"]},
)
"""A grid in which each trial has another network than the one before."""


ROOMS: dict[str, tuple[int, Mapping[str, str]]] = {
    "enough room": (8, {}),
    "room for one": (1, {}),
    "little memory": (8, {"TRAININGRUN_MEMORY_LIMIT": "1000000"}),
}
"""How many networks may be kept, and the environment of the rank."""


@dataclass(frozen=True)
class ByTurns:
    """What became of that grid."""

    builds: int
    values: list[float]


@pytest.fixture(scope="module")
def by_turns(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ByTurns]:
    """The grid searched in every room."""
    return {name: searched_in(room, tmp_path_factory.mktemp("room")) for name, room in ROOMS.items()}


def searched_in(room: tuple[int, Mapping[str, str]], folder: Path) -> ByTurns:
    most_kept, environment = room
    built: list[Context] = []

    def build(context: Context, split: Split) -> Any:
        built.append(context)
        return first_network(context, split)

    rank = a_rank(folder, *BY_TURNS, objective={"metric": "val_loss", "goal": "Minimize"})
    rank.environment = environment
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trainingrun_trainer.stages.trial_graphs.first_network", build)
        patch.setattr("trainingrun_trainer.stages.trial_graphs.MOST_KEPT", most_kept)
        searched(rank)
    return ByTurns(len(built), [each["value"] for each in events(rank) if each["event"] == "epoch"])


@pytest.mark.parametrize(("room", "builds"), [("enough room", 2), ("room for one", 4), ("little memory", 4)])
def test_networks_are_kept_as_long_as_there_is_room(by_turns: dict[str, ByTurns], room: str, builds: int) -> None:
    assert by_turns[room].builds == builds


def test_a_kept_network_has_forgotten_what_it_learned(by_turns: dict[str, ByTurns]) -> None:
    assert by_turns["enough room"].values == by_turns["room for one"].values


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("training.batchSize", "5"),
        ("training.optimizer.name", "SGD"),
        ("training.regularization.l2", "0.5"),
        ("training.schedule.type", "Cosine"),
        ("augmentation.zoom", "0.9"),
        ("model.parameters.dropout", "0.9"),
    ],
)
def test_every_kind_of_parameter_changes_a_trial(tmp_path: Path, parameter: str, value: str) -> None:
    usual = {
        "training.batchSize": "8",
        "training.optimizer.name": "Adam",
        "training.regularization.l2": "0",
        "training.schedule.type": "Constant",
        "augmentation.zoom": "0",
        "model.parameters.dropout": "0",
    }[parameter]
    rank = a_rank(
        tmp_path,
        {"name": parameter, "categorical": [usual, value]},
        objective={"metric": "val_loss", "goal": "Minimize"},
    )
    searched(rank, easy_samples(shape=(6, 6, 1)))
    values = [each["value"] for each in events(rank) if each["event"] == "epoch"]
    assert values[:2] != values[2:]


def test_a_loss_that_is_no_number_fails_its_trial_only(tmp_path: Path) -> None:
    wild = {"name": "training.optimizer.learningRate", "categorical": ["1e30", "0.01"]}
    name = {"name": "training.optimizer.name", "categorical": ["SGD"]}
    rank = a_rank(tmp_path, wild, name)
    assert searched(rank).config.training.optimizer.learning_rate == 0.01
    assert ends(rank) == ["failed", "completed"]
    failure = next(each for each in events(rank) if each["event"] == "failed")
    assert failure["cause"] == "NotANumber"
    assert failure["message"].startswith("The loss became ")


@pytest.mark.parametrize(
    ("problem", "cause", "sentence"),
    [
        (MemoryError("no more"), "OOMKilled", "The memory was not enough: no more"),
        (tf.errors.ResourceExhaustedError(None, None, "OOM when allocating"), "OOMKilled", "OOM when allocating"),
        (ValueError("negative dimension\nmore"), "RankFailed", "ValueError: negative dimension"),
    ],
    ids=["python", "tensorflow", "network"],
)
def test_what_a_network_raises_fails_its_trial_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: Exception, cause: str, sentence: str
) -> None:
    def build(context: Context, split: Split) -> Any:
        if context.config.training.optimizer.learning_rate == 1e-9:
            raise problem
        return first_network(context, split)

    monkeypatch.setattr("trainingrun_trainer.stages.trial_graphs.first_network", build)
    rank = a_rank(tmp_path)
    searched(rank)
    assert ends(rank) == ["failed", "completed"]
    failure = next(each for each in events(rank) if each["event"] == "failed")
    assert failure["cause"] == cause
    assert failure["message"].endswith(sentence)


FULL = [
    MemoryError("no more"),
    tf.errors.ResourceExhaustedError(None, None, "OOM when allocating"),
    tf.errors.InternalError(None, None, "failed call: CUDA_ERROR_OUT_OF_MEMORY"),
]


@pytest.mark.parametrize("problem", FULL, ids=["python", "tensorflow", "cuda"])
@pytest.mark.parametrize("is_alone", [False, True], ids=["beside others", "alone"])
def test_a_trial_that_does_not_fit_beside_others_is_tried_again_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: Exception, is_alone: bool
) -> None:
    built: list[str] = []

    def build(context: Context, split: Split) -> Any:
        [units] = [each.value for each in context.config.model.parameters]
        built.append(units)
        if units == ("4" if is_alone else "8") and built.count(units) == 1:
            raise problem
        return first_network(context, split)

    monkeypatch.setattr("trainingrun_trainer.stages.trial_graphs.first_network", build)
    rank = a_rank(tmp_path, {"name": "model.parameters.hiddenUnits", "categorical": ["4", "8"]})
    searched(rank)
    assert built == (["4", "8"] if is_alone else ["4", "8", "8"])
    assert ends(rank) == (["failed", "completed"] if is_alone else ["completed", "completed"])


def test_a_function_that_refuses_a_value_fails_its_trial_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", [*sys.path])
    (tmp_path / "picky_network.py").write_text(PICKY)
    rank = alone(
        tmp_path,
        environment={"TRAININGRUN_CODE_MOUNT": str(tmp_path)},
        model={
            "entrypoint": {"function": "picky_network:build", "configMapName": "networks"},
            "parameters": [{"name": "units", "value": "4"}],
        },
        tuning={**GRID, "parameters": [{"name": "model.parameters.units", "categorical": ["0", "4"]}]},
    )
    assert [each.value for each in searched(rank).config.model.parameters] == ["4"]
    assert ends(rank) == ["failed", "completed"]
    failure = next(each for each in events(rank) if each["event"] == "failed")
    assert failure["cause"] == "BadConfig"
    assert "ValueError: units must be more than 0" in failure["message"]


def test_when_all_trials_fail_the_first_one_says_why(tmp_path: Path) -> None:
    wild = {"name": "training.optimizer.learningRate", "categorical": ["1e30", "2e30"]}
    rank = a_rank(tmp_path, wild, {"name": "training.optimizer.name", "categorical": ["SGD"]})
    with pytest.raises(TrainerError, match=r"None of the 2 trials of spec\.tuning came to its end: 2 failed") as failed:
        searched(rank)
    assert "The first: NotANumber: The loss became" in str(failed.value)
    assert (failed.value.cause, failed.value.exit_code) == ("TuningFailed", 64)
    assert (tmp_path / "run" / "tuning.jsonl").exists()


def test_what_is_no_fault_of_the_parameters_ends_the_attempt(tmp_path: Path) -> None:
    rank = a_rank(tmp_path)
    desk = Clerk(rank.config, Journal(rank.paths))
    desk.ask(rank=0)
    a_rank(tmp_path, attempt=2).paths.attempt.claim()
    with pytest.raises(TrainerError, match="has taken over"):
        tune(rank.context, easy_samples(), desk=desk)


class Unreachable(Clerk):
    """A desk that is gone when a trial reports its first epoch."""

    def report(self, *, trial: int, epoch: int, value: float) -> bool:
        """Say so."""
        raise TrainerError("does not answer", cause=Cause.PEER_LOST, exit_code=ExitCode.PEER_LOST)


def test_what_befalls_a_trial_from_outside_is_not_written_down_as_its_failure(tmp_path: Path) -> None:
    rank = a_rank(tmp_path)
    with pytest.raises(TrainerError, match="does not answer"):
        searched(rank, desk=Unreachable(rank.config, Journal(rank.paths)))
    assert [each["event"] for each in events(rank)] == ["started"]


class Overtaken(Clerk):
    """A desk that another attempt takes over when all trials have ended."""

    newer: Alone

    def outcome(self) -> Outcome:
        """What the search has come to."""
        self.newer.paths.attempt.claim()
        return super().outcome()


def test_a_search_that_has_been_taken_over_is_not_published(tmp_path: Path) -> None:
    rank = a_rank(tmp_path)
    desk = Overtaken(rank.config, Journal(rank.paths))
    desk.newer = a_rank(tmp_path, attempt=2)
    with pytest.raises(TrainerError, match="attempt 2 of this run has taken over"):
        searched(rank, desk=desk)
    assert not (tmp_path / "run" / "tuning.jsonl").exists()


def test_a_search_that_is_told_to_stop_goes_on_in_the_next_attempt(usual: Finished, tmp_path: Path) -> None:
    stopped = a_rank(tmp_path)
    stopped.is_interrupted = Interruption(7)
    with pytest.raises(TrainerError, match="Told to stop while tuning") as told:
        searched(stopped)
    assert told.value.exit_code == 75
    assert ends(stopped) == ["interrupted"]
    rest = a_rank(tmp_path, attempt=2)
    assert searched(rest).config.training == usual.after.config.training
    assert ends(rest) == ["interrupted", "completed", "completed"]


def test_a_finished_search_is_not_repeated(usual: Finished, tmp_path: Path) -> None:
    shutil.copytree(usual.rank.output, tmp_path, dirs_exist_ok=True)
    before = newest(a_rank(tmp_path).paths)
    (tmp_path / "run" / "tuning.jsonl").unlink()
    again = a_rank(tmp_path, attempt=2)
    assert searched(again).config.training.optimizer.learning_rate == 0.01
    assert newest(again.paths) == before
    assert (tmp_path / "run" / "tuning.jsonl").read_bytes() == before


def test_asha_ends_a_trial_early(tmp_path: Path) -> None:
    rates = {"name": "training.optimizer.learningRate", "categorical": ["0.01", "0.02", "1e-9", "2e-9"]}
    rank = a_rank(tmp_path, rates, scheduler="ASHA", epochsPerTrial=3)
    searched(rank)
    assert ends(rank).count("pruned") >= 2
    assert len([each for each in events(rank) if each["event"] == "epoch"]) <= 12 - 2 * 2


class Others:
    """A desk where this rank gets nothing to do while others run the last trials."""

    def __init__(self, moves: list[int]) -> None:
        self._moves = moves

    def ask(self, *, rank: int) -> Turn:
        """Wait, until nothing is left to tell."""
        kind = "wait" if len(self._moves) > 1 else "over"
        return Turn.model_validate({"kind": kind, "moves": self._moves.pop(0), "status": {"trials": 2}})

    def outcome(self) -> Outcome:
        """The others' best."""
        return Outcome.model_validate({"best": {"training.optimizer.learningRate": "0.5"}, "status": {"trials": 2}})

    def leave(self) -> None:
        """Nothing."""


def test_a_rank_that_waits_reports_what_others_do_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainingrun_trainer.stages.tune.WAIT_SECONDS", 0)
    rank = a_rank(tmp_path)
    after = searched(rank, desk=Others([4, 4, 4, 5, 5, 5]))
    assert after.config.training.optimizer.learning_rate == 0.5
    reports = [report for report in rank.notes.reports if report.stage is Stage.TUNING]
    assert len(reports) == 1 + 2 + 1


def test_a_trial_has_its_epochs_and_a_warm_up_that_fits(tmp_path: Path) -> None:
    rank = a_rank(tmp_path)
    schedule = {"type": "Cosine", "warmupEpochs": 5}
    config = rank.config.model_copy(
        update={"training": rank.config.training.model_validate({"epochs": 30, "schedule": schedule})}
    )
    shortened = config_of_trial(config).training
    assert (shortened.epochs, shortened.schedule.warmup_epochs, shortened.schedule.type) == (2, 1, "Cosine")
