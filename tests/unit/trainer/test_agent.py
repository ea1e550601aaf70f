"""What an agent makes of its ranks and of the other workers, on ranks and boards that are played."""

import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.patience import patience
from tests.unit.trainer.starting import Start
from trainingrun.contract import TERMINATION_MESSAGE_LIMIT, FinalRecord
from trainingrun.contract_version import CONTRACT
from trainingrun_trainer import messages
from trainingrun_trainer.agent import crew as crews
from trainingrun_trainer.agent.crew import Crew
from trainingrun_trainer.agent.logbook import Logbook
from trainingrun_trainer.agent.peers import PEER_SILENCE_SECONDS, Peers
from trainingrun_trainer.agent.rendezvous import Board, State
from trainingrun_trainer.agent.termination import encode
from trainingrun_trainer.messages import Message
from trainingrun_trainer.output.volume import VolumePlace


class PlayedRank:
    """A rank that says and ends as it is told."""

    def __init__(self, number: int, *, on_message: Callable[[Any, Message], None], **_: Any) -> None:
        self.number = number
        self.last: Message | None = None
        self.code: int | None = None
        self.say = on_message

    def poll(self) -> int | None:
        return self.code

    def kill(self) -> None:
        """It is none that could be killed."""

    def drain(self) -> None:
        """It has nothing to read."""


@pytest.fixture
def crew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Crew]:
    """Two ranks."""
    monkeypatch.setattr(crews, "Rank", PlayedRank)
    logbook = Logbook(scratch=tmp_path)
    made = Crew(attempt=1, size=2, logbook=logbook, module="none")
    for number in (0, 1):
        made.start(number, environment={})
    yield made
    logbook.save(VolumePlace(tmp_path / "log", "log"))


def test_a_worker_is_ready_when_its_last_rank_is(crew: Crew) -> None:
    seen = []
    for rank in crew.ranks:
        seen.append(crew.is_ready)
        rank.say(rank, messages.ready())  # type: ignore[attr-defined]  # a played one
    assert [*seen, crew.is_ready] == [False, False, True]


def test_a_rank_that_has_ended_without_a_word_is_no_cause_where_another_worker_has_failed(crew: Crew) -> None:
    crew.ranks[0].code = 1  # type: ignore[attr-defined]  # a played one
    assert crew.end(only_causes=True) == []
    assert [ended.rank for ended in crew.end()] == [0]


def test_a_rank_that_was_killed_is_the_cause_although_its_peer_was_the_first_to_tell(crew: Crew) -> None:
    crew.ranks[0].code = -signal.SIGKILL  # type: ignore[attr-defined]  # a played one
    assert [(ended.rank, ended.code) for ended in crew.end(only_causes=True)] == [(0, -signal.SIGKILL)]


class PlayedBoard(Board):
    """A board that answers what it is told, or not at all."""

    def __init__(self) -> None:
        super().__init__(worker=1, host="nowhere", port=0)
        self.states: Mapping[int, State] | None = {}

    def write(self, state: State) -> bool:
        return True

    def read(self) -> Mapping[int, State] | None:
        return self.states


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock that peers look at."""
    moment = [0.0]
    monkeypatch.setattr("trainingrun_trainer.agent.peers.time", SimpleNamespace(monotonic=lambda: moment[0]))
    return moment


def at(moment: float, peers: Peers, *, now: list[float]) -> str | None:
    now[0] = moment
    return peers.news()


def test_of_two_workers_that_have_ended_the_failed_one_counts(now: list[float]) -> None:
    board = PlayedBoard()
    peers = Peers(board, worker=1)
    seen = [at(1, peers, now=now)]
    for number, states in enumerate(
        ({0: "stopped", 1: "here"}, {0: "here", 1: "failed"}, {0: "stopped", 2: "failed"}), start=2
    ):
        board.states = states  # type: ignore[assignment]  # states, as literals
        seen.append(at(number, peers, now=now))
    assert seen == [None, "stopped", None, "failed"]


def test_the_first_worker_is_gone_when_it_has_been_silent_for_long_and_not_when_it_was_once(now: list[float]) -> None:
    board = PlayedBoard()
    peers = Peers(board, worker=1)
    at(1, peers, now=now)
    long = 100 * PEER_SILENCE_SECONDS
    assert at(long, peers, now=now) is None
    board.states = None
    assert at(long + PEER_SILENCE_SECONDS - 1, peers, now=now) is None
    board.states = {}
    assert at(long + PEER_SILENCE_SECONDS, peers, now=now) is None
    board.states = None
    assert at(long + 2 * PEER_SILENCE_SECONDS - 1, peers, now=now) is None
    assert at(long + 2 * PEER_SILENCE_SECONDS + 1, peers, now=now) == "failed"


def test_workers_that_have_not_come_are_named() -> None:
    board = PlayedBoard()
    board.states = {0: "here", 2: "here"}
    assert board.wait_for_all(4, timeout=0.01) == [1, 3]


def test_the_first_worker_stays_until_the_others_have_ended(start: Start, tmp_path: Path) -> None:
    gang = start(rank="tests.unit.trainer.unequal_rank")
    gang.agents[0].wait(timeout=patience(60))
    assert (tmp_path / "ended").exists()
    assert [agent.wait(timeout=patience(60)) for agent in gang.agents] == [0, 0]


def test_a_record_that_fits_keeps_every_line_of_its_log() -> None:
    log = "\n".join(map(str, range(100)))
    record = FinalRecord(attempt=1, worker=0, exit_code=70, log_tail=log, contract_version=CONTRACT)
    assert FinalRecord.model_validate_json(encode(record)) == record


def test_a_record_is_as_long_as_its_bytes_and_not_as_its_letters() -> None:
    record = FinalRecord(attempt=1, worker=0, exit_code=70, log_tail="\n".join(["ö" * 110] * 20))
    assert len(encode(record)) <= TERMINATION_MESSAGE_LIMIT
