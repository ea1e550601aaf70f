"""Every time of `Timing` reaches the loop or request that it is for, under virtual time."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from types import SimpleNamespace
from typing import Any

import looptime
import pytest
from kubernetes.aio import client
from kubernetes.aio.leaderelection.electionconfig import Config

from tests.builders import NOON
from trainingrun.contract import ProgressReport
from trainingrun_operator import watch
from trainingrun_operator.cluster import lease
from trainingrun_operator.cluster.kube import KubeCluster
from trainingrun_operator.cluster.port import ForbiddenError
from trainingrun_operator.control.controller import Controller, resync
from trainingrun_operator.control.progress import ProgressBook
from trainingrun_operator.control.queue import WorkQueue
from trainingrun_operator.control.workers import Workers
from trainingrun_operator.leadership import Leadership
from trainingrun_operator.metrics import Metrics
from trainingrun_operator.pace import Pace, Timing
from trainingrun_operator.settings import Settings

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]
assert looptime

OTHER = 7


async def stop(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_failures_are_retried_after_the_time_of_the_setting_up_to_its_limit() -> None:
    queue: WorkQueue[str] = WorkQueue(timing=Timing(retry_seconds=1, retry_limit_seconds=5))
    assert [queue.retry("a") for _ in range(5)] == [1, 2, 4, 5, 5]
    assert queue.retry("a", at_least=OTHER) == OTHER


@pytest.mark.parametrize("seconds", [Timing().progress_poll_seconds, OTHER])
async def test_workers_are_asked_as_often_as_the_setting_says(seconds: float) -> None:
    moments: list[float] = []

    async def ask(host: str) -> ProgressReport:
        moments.append(asyncio.get_running_loop().time())
        return ProgressReport(attempt=1, updated_at=NOON)

    book = ProgressBook(pace=Pace(), timing=Timing(progress_poll_seconds=seconds))
    book.follow(("team", "mnist"), host="10.244.0.5")
    polling = asyncio.create_task(book.poll(ask, on_change=lambda key: None))
    await asyncio.sleep(3.5 * seconds)
    await stop(polling)
    assert moments == [0, seconds, 2 * seconds, 3 * seconds]


@asynccontextmanager
async def a_silent_worker() -> AsyncIterator[int]:
    """The port of one that takes connections and says nothing."""

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize("seconds", [Timing().stacks_timeout_seconds, 0.5])
async def test_stacks_are_waited_for_as_long_as_the_setting_says(seconds: float) -> None:
    timing = Timing(stacks_timeout_seconds=seconds)
    async with a_silent_worker() as port, aclosing(Workers(timing=timing, port=port)) as workers:
        await workers.write_stacks(["127.0.0.1"])
    assert asyncio.get_running_loop().time() == pytest.approx(seconds, abs=0.01)


@pytest.mark.parametrize("seconds", [Timing().progress_timeout_seconds, 0.5])
async def test_a_silent_worker_is_asked_again_once_the_time_out_is_over(seconds: float) -> None:
    asked: list[float] = []
    timing = Timing(progress_timeout_seconds=seconds, progress_poll_seconds=1)
    async with a_silent_worker() as port, aclosing(Workers(timing=timing, port=port)) as workers:

        async def ask(host: str) -> ProgressReport | None:
            asked.append(asyncio.get_running_loop().time())
            return await workers.progress(host)

        book = ProgressBook(pace=Pace(), timing=timing)
        book.follow(("team", "mnist"), host="127.0.0.1")
        polling = asyncio.create_task(book.poll(ask, on_change=lambda key: None))
        await asyncio.sleep(1.5 * seconds + 1)
        await stop(polling)
    assert asked == pytest.approx([0, seconds + 1], abs=0.01)


@contextmanager
def a_host_without_an_answer() -> Iterator[int]:
    """The port of one whose queue of connections is full, so that another one is left waiting."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server, socket.create_connection(server.getsockname()):
        yield server.getsockname()[1]


@pytest.mark.parametrize("seconds", [Timing().worker_connect_timeout_seconds, 0.5])
async def test_a_connection_to_a_worker_may_take_as_long_as_the_setting_says(seconds: float) -> None:
    with a_host_without_an_answer() as port:
        async with aclosing(Workers(timing=Timing(worker_connect_timeout_seconds=seconds), port=port)) as workers:
            await workers.write_stacks(["127.0.0.1"])
    assert asyncio.get_running_loop().time() == pytest.approx(seconds, abs=0.01)


class Runs:
    """A cluster that only counts how often it is asked for all runs."""

    def __init__(self) -> None:
        self.asked = 0
        self.namespaces: set[str | None] = set()

    async def list_runs(self, namespace: str | None) -> Sequence[Any]:
        self.asked += 1
        self.namespaces.add(namespace)
        if namespace == "gone":
            raise ForbiddenError("may not list them")
        return []


@pytest.mark.parametrize("seconds", [Timing().resync_seconds, OTHER])
async def test_all_runs_are_looked_at_as_often_as_the_setting_says_within_a_fifth(seconds: float) -> None:
    runs: Any = Runs()
    timing = Timing(resync_seconds=seconds)
    resyncing = asyncio.create_task(resync(runs, WorkQueue(timing=timing), namespaces=None, timing=timing))
    await asyncio.sleep(100 * seconds)
    await stop(resyncing)
    assert 100 / 1.2 - 1 <= runs.asked <= 100 / 0.8


async def test_all_runs_of_every_watched_namespace_are_looked_at_also_when_one_cannot_be_read() -> None:
    runs: Any = Runs()
    timing = Timing()
    resyncing = asyncio.create_task(resync(runs, WorkQueue(timing=timing), namespaces=("gone", "vision"), timing=timing))
    await asyncio.sleep(2 * timing.resync_seconds)
    await stop(resyncing)
    assert runs.namespaces == {"gone", "vision"}


@pytest.mark.parametrize("seconds", [Timing().drain_seconds, OTHER])
async def test_what_is_queued_at_the_end_is_waited_for_as_long_as_the_setting_says(seconds: float) -> None:
    timing = Timing(drain_seconds=seconds)
    queue: WorkQueue[tuple[str, str]] = WorkQueue(timing=timing)
    queue.add(("team", "mnist"))
    await Controller(_never, queue=queue, metrics=Metrics()).drain(timing=timing)
    assert asyncio.get_running_loop().time() == seconds


async def _never(key: tuple[str, str]) -> float | None:
    raise AssertionError("nobody works on the queue")


async def test_the_api_server_may_take_as_long_as_the_setting_says() -> None:
    asked, timing = list[float](), Timing(api_timeout_seconds=OTHER)

    async def call_api(*request: Any, _request_timeout: float) -> Any:
        asked.append(_request_timeout)
        return SimpleNamespace(response=SimpleNamespace(status=200, read=lambda: _answer(b"{}")))

    api: Any = SimpleNamespace(call_api=call_api, param_serialize=lambda *_, **__: _answer(()))
    await KubeCluster(api, metrics=Metrics(), timing=timing).get_run("team", "mnist")
    assert asked == [OTHER]
    assert watch.settings(timing).networking.request_timeout == OTHER


def _answer(value: Any) -> Awaitable[Any]:
    """What a coroutine would return that has nothing to wait for."""
    answer = asyncio.get_running_loop().create_future()
    answer.set_result(value)
    return answer


async def test_the_lease_is_held_with_the_times_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    class EnoughError(Exception):
        """All is known that the test asks for."""

    def elect(config: Config) -> None:
        raise EnoughError(config.lease_duration, config.renew_deadline, config.retry_period)

    async def work() -> None:
        """Never begins."""

    monkeypatch.setattr("kubernetes.aio.leaderelection.leaderelection.LeaderElection", elect)
    times = {"LEASE_DURATION_SECONDS": "9", "LEASE_RENEW_DEADLINE_SECONDS": "6", "LEASE_RETRY_PERIOD_SECONDS": "3"}
    settings = Settings.from_environment({"TRAINER_IMAGE": "trainer:1", **times})
    with pytest.raises(EnoughError) as enough:
        await lease.lead(client.ApiClient(), settings, work, leadership=Leadership(seconds=6))
    assert enough.value.args == (9, 6, 3)
