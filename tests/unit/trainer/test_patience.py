"""How long what may pass is borne: when it is tried again, what the log says, and what ends the waiting. Time is played."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from trainingrun.contract import Cause, ExitCode
from trainingrun_trainer.agent.rendezvous import WAITING, Board, Store, serve
from trainingrun_trainer.agent.signs import Signs
from trainingrun_trainer.errors import TrainerError
from trainingrun_trainer.patience import Patience


@dataclass
class Played:
    """Time that passes by sleeping alone, and who is told of it."""

    now: float = 0.0
    signs: list[float] = field(default_factory=list)
    stop_at: float = float("inf")

    def patience(self, seconds: float = 100.0, *, chance: float = 1.0) -> Patience:
        return Patience(
            seconds,
            is_told=lambda: self.now >= self.stop_at,
            alive=lambda: self.signs.append(self.now),
            clock=lambda: self.now,
            sleep=self.sleep,
            chance=lambda: chance,
        )

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Away:
    """Something that fails until a moment, and takes notes of when it was asked."""

    def __init__(self, played: Played, *, until: float) -> None:
        self.played, self.until, self.asked = played, until, list[float]()

    def __call__(self) -> str:
        self.asked.append(self.played.now)
        if self.played.now < self.until:
            raise ConnectionError("gone for now")
        return "here"


def always(problem: Exception) -> bool:
    return True


@pytest.mark.parametrize("seconds", [0.1, 12.0, 99.0])
def test_what_comes_back_within_patience_is_waited_for(seconds: float) -> None:
    played = Played()
    assert played.patience().bear(Away(played, until=seconds), may_pass=always, what="the disk") == "here"


@pytest.mark.parametrize("seconds", [10.0, 100.0, 300.0])
def test_what_does_not_come_back_is_told_after_patience_and_not_before(seconds: float) -> None:
    played = Played()
    away = Away(played, until=10_000)
    with pytest.raises(ConnectionError, match="gone for now"):
        played.patience(seconds).bear(away, may_pass=always, what="the disk")
    assert played.now == pytest.approx(seconds)
    assert away.asked[-1] == pytest.approx(seconds)


def test_pauses_double_to_a_twentieth_of_the_patience_and_are_drawn() -> None:
    played = Played()
    away = Away(played, until=60)
    played.patience().bear(away, may_pass=always, what="the disk")
    pauses = [after - before for before, after in zip(away.asked, away.asked[1:], strict=False)]
    assert pauses[:6] == pytest.approx([0.2, 0.4, 0.8, 1.6, 3.2, 5.0])
    assert max(pauses) == pytest.approx(5.0)
    assert {Patience(100).pause(20) for _ in range(5)} != {5.0}
    assert all(0 <= Patience(100).pause(tries) <= 5 for tries in range(30))


def test_what_will_not_pass_is_raised_at_once() -> None:
    played = Played()
    with pytest.raises(ConnectionError):
        played.patience().bear(Away(played, until=5), may_pass=lambda problem: False, what="the disk")
    assert played.now == 0


def test_patience_begins_with_the_first_failure_and_not_with_a_long_transfer() -> None:
    played = Played()

    def long_transfer() -> str:
        played.now += 500
        if played.now < 600:
            raise ConnectionError("cut at its end")
        return "whole"

    assert played.patience().bear(long_transfer, may_pass=always, what="the store") == "whole"


def test_who_waits_gives_signs_of_life() -> None:
    played = Played()
    played.patience().bear(Away(played, until=60), may_pass=always, what="the disk")
    gaps = [after - before for before, after in zip(played.signs, played.signs[1:], strict=False)]
    assert max(gaps) < 1.01
    assert played.signs[-1] >= 59


def test_who_is_told_to_stop_while_he_waits_ends_at_once() -> None:
    played = Played(stop_at=30.0)
    with pytest.raises(TrainerError, match="Told to stop while the disk did not answer") as stopped:
        played.patience().bear(Away(played, until=60), may_pass=always, what="the disk")
    assert (stopped.value.cause, stopped.value.exit_code) == (Cause.INTERRUPTED, ExitCode.INTERRUPTED)
    assert 30 <= played.now <= 31


def test_the_state_is_saved_with_patience_also_after_that() -> None:
    played = Played(stop_at=0.0)
    assert played.patience().bear(Away(played, until=60), may_pass=always, what="the disk") == "here"


def test_the_log_says_once_what_is_waited_for_and_when_it_is_back(capsys: pytest.CaptureFixture[str]) -> None:
    played = Played()
    played.patience(60).bear(Away(played, until=30), may_pass=always, what="the disk")
    begun, ended = capsys.readouterr().out.splitlines()
    assert begun == "the disk does not answer, and is tried for up to 60 s: gone for now"
    assert ended.startswith("the disk answers again, after 3")


def test_many_threads_that_wait_for_the_same_say_so_once(capsys: pytest.CaptureFixture[str]) -> None:
    played = Played()
    patience = played.patience()
    all_wait = threading.Barrier(4)

    def asked() -> Iterator[bool]:
        while played.now < 50:
            yield False
        all_wait.wait(20)
        yield False
        yield True

    def wait() -> None:
        answers = asked()

        def ask() -> None:
            if not next(answers):
                raise TimeoutError

        patience.bear(ask, may_pass=always, what="the store")

    threads = [threading.Thread(target=wait) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    said = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in said] == ["the store does not answer", "the store answers again"]


def test_a_stumble_is_worth_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    played = Played()
    played.patience(300).bear(Away(played, until=2), may_pass=always, what="the disk")
    assert capsys.readouterr().out == ""


def test_signs_of_life_reach_worker_0_about_once_a_second() -> None:
    store = Store()
    with serve(store, port=0) as port:
        give = Signs(Board(worker=1, host="127.0.0.1", port=port))
        give()
        first = store.sign
        give()
    assert first is not None
    assert store.sign == first
    assert store.get(WAITING) == b"alive"


@pytest.mark.parametrize("environment", [{}, {"TRAININGRUN_BOARD": "127.0.0.1:9"}], ids=["no board", "a board that is gone"])
def test_nobody_is_told_where_there_is_no_worker_0(environment: dict[str, str]) -> None:
    Signs.of(environment)()
