"""What the operator remembers of what workers report. Whoever is waited for is waited for in virtual time."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.builders import NOON
from trainingrun.contract import ProgressReport
from trainingrun_operator.control.progress import ProgressBook
from trainingrun_operator.pace import Pace, Timing

KEY = ("team", "mnist")


def a_report(step: int) -> ProgressReport:
    return ProgressReport(attempt=1, step=step, updated_at=NOON)


def test_a_report_that_says_the_same_again_is_no_news() -> None:
    moments: Iterator[int] = iter(range(0, 60, 10))
    book = ProgressBook(pace=Pace(), timing=Timing(), now=lambda: NOON + timedelta(seconds=next(moments)))
    for step in (1, 1, 1):
        book.note(KEY, a_report(step))
    assert (book.changed(KEY), book.heard(KEY)) == (NOON, NOON + timedelta(seconds=20))
    book.note(KEY, a_report(2))
    assert (book.changed(KEY), book.heard(KEY)) == (NOON + timedelta(seconds=30),) * 2


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_whatever_one_worker_does_the_others_are_asked_at_their_pace() -> None:
    asked: list[tuple[str, float]] = []

    async def ask(host: str) -> ProgressReport | None:
        now = asyncio.get_running_loop().time()
        asked.append((host, now))
        if host == "stuck":
            await asyncio.Event().wait()
        if host == "broken":
            raise RuntimeError("not even an answer")
        return None if host == "silent" else a_report(round(now))

    book = ProgressBook(pace=Pace(), timing=Timing(progress_poll_seconds=1))
    for host in ("stuck", "broken", "silent", "well"):
        book.follow(("team", host), host=host)
    polling = asyncio.create_task(book.poll(ask, on_change=lambda key: None))
    await asyncio.sleep(30.5)
    moments = {host: [at for other, at in asked if other == host] for host, _ in asked}
    assert moments["well"] == list(range(31))
    assert moments["stuck"] == [0]
    assert moments["broken"] == moments["silent"] == [0, 1, 3, 7, 15, 23], "more and more seldom, and never given up"

    book.follow(("team", "silent"), host="well")
    await asyncio.sleep(0.1)
    assert asked[-1][0] == "well", "another host is asked at once"
    polling.cancel()
    await asyncio.gather(polling, return_exceptions=True)


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_a_run_that_is_followed_again_is_asked_again_and_one_that_is_not_no_more() -> None:
    asked: list[str] = []

    async def ask(host: str) -> ProgressReport:
        asked.append(host)
        return a_report(1)

    book = ProgressBook(pace=Pace(), timing=Timing(progress_poll_seconds=1))
    polling = asyncio.create_task(book.poll(ask, on_change=lambda key: None))
    book.follow(KEY, host="first")
    await asyncio.sleep(1.5)
    book.stop(KEY)
    await asyncio.sleep(10)
    assert asked == ["first", "first"]
    book.follow(KEY, host="second")
    await asyncio.sleep(0.5)
    assert asked == ["first", "first", "second"]
    polling.cancel()
    await asyncio.gather(polling, return_exceptions=True)
