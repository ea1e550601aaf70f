"""The desk over HTTP, and the journal on the output."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.patience import patience
from tests.unit.trainer.forking import ForkServer
from tests.unit.trainer.starting import a_config, free_ports
from trainingrun.api.base import to_wire
from trainingrun_trainer.agent import rendezvous
from trainingrun_trainer.agent.logbook import Logbook
from trainingrun_trainer.agent.processes import SERVER_VARIABLE
from trainingrun_trainer.agent.study import StudyProcess
from trainingrun_trainer.errors import TrainerError
from trainingrun_trainer.output.volume import VolumePlace
from trainingrun_trainer.settings import OutputPaths
from trainingrun_trainer.tuning import client
from trainingrun_trainer.tuning.clerk import Clerk
from trainingrun_trainer.tuning.client import Client
from trainingrun_trainer.tuning.events import Event
from trainingrun_trainer.tuning.journal import Journal, newest

TUNING = {
    "trials": 2,
    "epochsPerTrial": 2,
    "parameters": [{"name": "training.optimizer.learningRate", "double": {"minimum": "1e-4", "maximum": "1", "scale": "Log"}}],
}


def paths_of(folder: Path, *, attempt: int = 1) -> OutputPaths:
    return OutputPaths(root=VolumePlace(folder, "pvc://models"), config=a_config(attempt=attempt, tuning=TUNING))


def events_of(paths: OutputPaths) -> list[str]:
    return [json.loads(line)["event"] for line in newest(paths).splitlines()]


def start(number: int = 0) -> Event:
    return Event(number, "started", rank=0, parameters={"training.optimizer.learningRate": "0.1"})


def test_starts_and_ends_are_on_the_output_when_they_are_answered(tmp_path: Path) -> None:
    paths = paths_of(tmp_path)
    journal = Journal(paths)
    journal.note([start()])
    assert events_of(paths) == ["started"]
    journal.note([Event(0, "epoch", epoch=1, value=0.5)])
    assert events_of(paths) == ["started"]
    journal.note([Event(0, "completed")])
    assert events_of(paths) == ["started", "epoch", "completed"]


def test_an_attempt_has_the_events_of_the_earlier_ones_and_leaves_their_files_alone(tmp_path: Path) -> None:
    first = paths_of(tmp_path)
    Journal(first).note([start()])
    first.attempt.join("tuning.jsonl").append(b'{"trial": 0, "eve')
    before = newest(first)
    second = Journal(paths_of(tmp_path, attempt=3))
    assert second.before == [start()]
    second.note([Event(0, "failed", cause="OOMKilled")])
    assert events_of(paths_of(tmp_path, attempt=3)) == ["started", "failed"]
    assert newest(first) == before
    assert events_of(paths_of(tmp_path, attempt=4)) == ["started", "failed"]


def test_an_attempt_that_has_been_taken_over_starts_nothing(tmp_path: Path) -> None:
    paths_of(tmp_path, attempt=2).attempt.claim()
    clerk = Clerk(a_config(tuning=TUNING), Journal(paths_of(tmp_path)))
    with pytest.raises(TrainerError, match="attempt 2 of this run has taken over"):
        clerk.ask(rank=0)


@pytest.fixture
def store() -> Iterator[tuple[rendezvous.Store, int]]:
    (port,) = free_ports(1)
    made = rendezvous.Store()
    with rendezvous.serve(made, port=port):
        yield made, port


def find(port: int, *, seconds: float | None = None) -> Client:
    return Client.find({rendezvous.BOARD_VARIABLE: f"127.0.0.1:{port}"}, seconds=patience(30) if seconds is None else seconds)


@pytest.fixture
def study(
    tmp_path: Path, store: tuple[rendezvous.Store, int], monkeypatch: pytest.MonkeyPatch, fork_server: ForkServer
) -> Iterator[StudyProcess]:
    """The process of a study, as an agent starts it."""
    monkeypatch.setenv(SERVER_VARIABLE, str(fork_server.socket))
    (tmp_path / "config.json").write_text(json.dumps(to_wire(a_config(tuning=TUNING))))
    monkeypatch.setenv("TRAININGRUN_CONFIG", str(tmp_path / "config.json"))
    monkeypatch.setenv("TRAININGRUN_OUTPUT_MOUNT", str(tmp_path / "output"))
    monkeypatch.setenv("TRAININGRUN_RENDEZVOUS_PORT", str(store[1]))
    logbook = Logbook(scratch=tmp_path)
    process = StudyProcess(logbook)
    yield process
    process.end()
    logbook.save(VolumePlace(tmp_path / "log", "log"))


def output_of(folder: Path) -> list[str]:
    return events_of(paths_of(folder / "output"))


def test_a_search_over_http(study: StudyProcess, store: tuple[rendezvous.Store, int], tmp_path: Path) -> None:
    desk = find(store[1])
    first = desk.ask(rank=0)
    assert (first.kind, first.trial, list(first.parameters)) == ("run", 0, ["training.optimizer.learningRate"])
    assert desk.report(trial=0, epoch=1, value=0.5)
    assert desk.ask(rank=1).trial == 1
    desk.tell(trial=0, kind="failed", cause="NotANumber", message="The loss became nan.")
    waiting = desk.ask(rank=0)
    assert (waiting.kind, waiting.status.failed) == ("wait", 1)
    desk.alive()
    assert desk.ask(rank=0).moves == waiting.moves + 1
    desk.report(trial=1, epoch=1, value=0.7)
    desk.report(trial=1, epoch=2, value=0.75)
    desk.tell(trial=1, kind="completed")
    assert desk.ask(rank=0).kind == "over"
    outcome = desk.outcome()
    assert outcome.best is not None
    assert (outcome.status.completed, outcome.cause, outcome.message) == (1, "NotANumber", "The loss became nan.")
    assert output_of(tmp_path) == ["started", "epoch", "started", "failed", "epoch", "epoch", "completed"]


def test_the_study_is_saved_when_the_pod_is_told_to_stop(
    study: StudyProcess, store: tuple[rendezvous.Store, int], tmp_path: Path
) -> None:
    desk = find(store[1])
    desk.ask(rank=0)
    study.interrupt()
    study.end()
    assert output_of(tmp_path) == ["started", "interrupted"]


def test_the_process_ends_once_the_ranks_have_left(study: StudyProcess, store: tuple[rendezvous.Store, int]) -> None:
    find(store[1]).leave()
    assert study._process.wait(patience(20)) == 0
    study.interrupt()


def test_a_rank_whose_study_is_gone_ends(
    study: StudyProcess, store: tuple[rendezvous.Store, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = find(store[1])
    study.end()
    monkeypatch.setattr(client, "PATIENCE_SECONDS", 0.3)
    with pytest.raises(TrainerError, match=r"The study of spec.tuning, on worker 0 at 127.0.0.1, does not answer") as lost:
        desk.ask(rank=0)
    assert (lost.value.cause, lost.value.exit_code) == ("PeerLost", 69)


def test_a_rank_does_not_wait_for_ever_for_a_study(store: tuple[rendezvous.Store, int]) -> None:
    with pytest.raises(TrainerError, match="has not started on worker 0 within 0 s"):
        find(store[1], seconds=0.2)


def test_what_the_study_cannot_do_the_rank_is_told(
    study: StudyProcess, store: tuple[rendezvous.Store, int], tmp_path: Path
) -> None:
    desk = find(store[1])
    paths_of(tmp_path / "output", attempt=2).attempt.claim()
    with pytest.raises(TrainerError, match="attempt 2 of this run has taken over") as refused:
        desk.ask(rank=0)
    assert refused.value.cause == "Superseded"


def serve_alone(folder: Path, *, port: int, **environment: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [sys.executable, "-m", "trainingrun_trainer.tuning.serve"],
        env={**os.environ, "TRAININGRUN_RENDEZVOUS_PORT": str(port), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=patience(60),
    )


def test_a_study_that_cannot_start_says_why(store: tuple[rendezvous.Store, int], tmp_path: Path) -> None:
    ended = serve_alone(tmp_path, port=store[1], TRAININGRUN_CONFIG=str(tmp_path / "none.json"))
    assert ended.returncode == 70
    with pytest.raises(TrainerError, match="cannot be read: No such file") as refused:
        find(store[1])
    assert (refused.value.cause, refused.value.exit_code) == ("BadConfig", 64)


def test_a_study_ends_when_its_agent_is_killed(store: tuple[rendezvous.Store, int], tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(to_wire(a_config(tuning=TUNING))))
    environment: dict[str, Any] = {
        "TRAININGRUN_CONFIG": str(tmp_path / "config.json"),
        "TRAININGRUN_OUTPUT_MOUNT": str(tmp_path / "output"),
    }
    assert serve_alone(tmp_path, port=store[1], **environment).returncode == 0
