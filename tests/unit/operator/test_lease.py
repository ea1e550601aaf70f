"""Who leads may work, and nobody else: an election that is played, under virtual time."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import looptime
import pytest
import pytest_asyncio
from kubernetes.aio import client
from kubernetes.aio.leaderelection import electionconfig, leaderelection
from kubernetes.aio.leaderelection.leaderelectionrecord import LeaderElectionRecord
from kubernetes.aio.leaderelection.resourcelock.leaselock import LeaseLock

from tests.builders import CONFIG
from trainingrun_operator.cluster.lease import LeaseLostError, lead
from trainingrun_operator.leadership import Leadership
from trainingrun_operator.settings import Settings

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]
assert looptime

SETTINGS = Settings(config=CONFIG, identity="me", watch_namespaces=None)


def a_leadership() -> Leadership:
    """One that has just been won, by the clock of the loop."""
    made = Leadership(seconds=SETTINGS.timing.lease_renew_deadline_seconds, clock=asyncio.get_running_loop().time)
    made.renew(since=made.now())
    return made


@dataclass
class Election:
    """Won at once, and lost when somebody says so."""

    is_lost: asyncio.Event = field(default_factory=asyncio.Event)
    config: electionconfig.Config | None = None
    given_back: list[Any] = field(default_factory=list)

    def __call__(self, config: electionconfig.Config) -> "Election":
        self.config = config
        return self

    async def run(self) -> None:
        assert self.config is not None
        assert callable(self.config.onstarted_leading)
        await self.config.onstarted_leading()
        await self.is_lost.wait()


@pytest.fixture
def election(monkeypatch: pytest.MonkeyPatch) -> Election:
    played = Election()

    async def patch(_: object, name: str, namespace: str, body: Any, **__: object) -> None:
        played.given_back.append((name, namespace, body[0]))

    monkeypatch.setattr(leaderelection, "LeaderElection", played)
    monkeypatch.setattr(client.CoordinationV1Api, "patch_namespaced_lease", patch)
    return played


@pytest_asyncio.fixture
async def api() -> AsyncIterator[client.ApiClient]:
    async with client.ApiClient() as made:
        yield made


async def test_whoever_loses_the_lease_stops_to_work(election: Election, api: client.ApiClient) -> None:
    stopped = asyncio.Event()

    async def work() -> None:
        election.is_lost.set()
        try:
            await asyncio.sleep(3600)
        finally:
            stopped.set()

    with pytest.raises(LeaseLostError):
        await asyncio.wait_for(lead(api, SETTINGS, work, leadership=a_leadership()), 60)
    assert stopped.is_set()
    assert election.given_back == []


async def test_whoever_has_done_the_work_gives_the_lease_back(election: Election, api: client.ApiClient) -> None:
    async def work() -> None:
        """Done at once."""

    await lead(api, SETTINGS, work, leadership=a_leadership())
    only_if_mine = {"op": "test", "path": "/spec/holderIdentity", "value": "me"}
    assert election.given_back == [("trainingrun-operator", "trainingrun-system", only_if_mine)]


@pytest.mark.parametrize("problem", [aiohttp.ClientConnectionError("gone"), TimeoutError(), OSError("unreachable")])
async def test_a_lease_that_could_not_be_written_is_not_held(
    election: Election, api: client.ApiClient, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    async def refuse(*_: object) -> bool:
        raise problem

    held: list[bool] = []

    async def work() -> None:
        assert election.config is not None
        record = LeaderElectionRecord("me", "15", "now", "now")
        held.append(await election.config.lock.update("trainingrun-operator", "trainingrun-system", record))

    monkeypatch.setattr(LeaseLock, "update", refuse)
    await lead(api, SETTINGS, work, leadership=a_leadership())
    assert held == [False]


@dataclass
class Server:
    """The Lease as an API server keeps it: what the library's lock asks for is answered from here."""

    holder: str | None = None
    is_silent: bool = False
    """No call is answered any more."""
    calls: int = 0

    async def answer(self) -> None:
        self.calls += 1
        if self.is_silent:
            await asyncio.sleep(3600)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        server = self

        async def get(lock: LeaseLock, name: str, namespace: str) -> tuple[bool, LeaderElectionRecord]:
            await server.answer()
            lock.lease_reference = client.V1Lease(spec=client.V1LeaseSpec())
            return True, LeaderElectionRecord(server.holder, "15", "2026-01-01 12:00:00.0", f"renewed {server.calls}")

        async def update(lock: LeaseLock, name: str, namespace: str, record: LeaderElectionRecord) -> bool:
            await server.answer()
            server.holder = record.holder_identity
            return True

        async def patch(_: object, name: str, namespace: str, body: Any, **__: object) -> None:
            await server.answer()
            tested = [each["value"] for each in body if each["op"] == "test" and each["path"] == "/spec/holderIdentity"]
            is_right = all(server.holder == value for value in tested)
            server.holder = None if is_right else server.holder

        monkeypatch.setattr(LeaseLock, "get", get)
        monkeypatch.setattr(LeaseLock, "update", update)
        monkeypatch.setattr(client.CoordinationV1Api, "patch_namespaced_lease", patch)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    made = Server()
    made.install(monkeypatch)
    return made


def none_yet() -> Leadership:
    return Leadership(seconds=SETTINGS.timing.lease_renew_deadline_seconds, clock=asyncio.get_running_loop().time)


async def test_calls_that_are_never_answered_end_the_leader_before_another_may_lead(
    server: Server, api: client.ApiClient
) -> None:
    """The library's own clock stands still here, as one does that is set back."""
    leadership, lost_after = none_yet(), 0.0

    async def work() -> None:
        nonlocal lost_after
        await asyncio.sleep(20)
        server.is_silent = True
        silent_since = asyncio.get_running_loop().time()
        try:
            await asyncio.sleep(3600)
        finally:
            lost_after = asyncio.get_running_loop().time() - silent_since

    with pytest.raises(LeaseLostError):
        await lead(api, SETTINGS, work, leadership=leadership)
    assert 0 < lost_after <= SETTINGS.timing.lease_renew_deadline_seconds + 1 < SETTINGS.timing.lease_duration_seconds
    assert not leadership.may_write


async def test_a_leader_ends_at_once_when_another_has_taken_the_lease(server: Server, api: client.ApiClient) -> None:
    leadership, lost_after = none_yet(), 0.0

    async def work() -> None:
        nonlocal lost_after
        server.holder = "other"
        taken = asyncio.get_running_loop().time()
        try:
            await asyncio.sleep(3600)
        finally:
            lost_after = asyncio.get_running_loop().time() - taken

    with pytest.raises(LeaseLostError):
        await lead(api, SETTINGS, work, leadership=leadership)
    assert lost_after <= SETTINGS.timing.lease_retry_period_seconds + 1
    assert server.holder == "other"


async def test_a_leader_that_was_held_up_writes_nothing_although_no_timer_has_told_it(
    server: Server, api: client.ApiClient
) -> None:
    moment = 0.0
    leadership = Leadership(seconds=10, clock=lambda: moment)
    may: list[bool] = []

    async def work() -> None:
        nonlocal moment
        may.append(leadership.may_write)
        moment += 60  # the process stood still, and this is the first thing that it does
        may.append(leadership.may_write)

    await lead(api, SETTINGS, work, leadership=leadership)
    assert may == [True, False]


async def test_the_lease_of_another_holder_is_not_given_back(server: Server, api: client.ApiClient) -> None:
    async def work() -> None:
        server.holder = "other"

    await lead(api, SETTINGS, work, leadership=none_yet())
    assert server.holder == "other"


async def test_the_lease_that_is_ours_is_given_back(server: Server, api: client.ApiClient) -> None:
    async def work() -> None:
        """Done at once."""

    await lead(api, SETTINGS, work, leadership=none_yet())
    assert server.holder is None


async def test_who_cannot_ask_about_the_lease_is_not_ready_and_says_why(server: Server, api: client.ApiClient) -> None:
    leadership = none_yet()
    assert leadership.obstacle is not None
    server.is_silent = True

    async def work() -> None:
        """Done at once, should it ever lead."""

    server.holder = "other"
    waiting = asyncio.create_task(lead(api, SETTINGS, work, leadership=leadership))
    await asyncio.sleep(30)
    assert leadership.obstacle == "The API server does not tell who holds the Lease: TimeoutError()."
    server.is_silent = False
    await asyncio.sleep(10)
    assert leadership.obstacle is None, "the holder is another, so this one stands by"
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
