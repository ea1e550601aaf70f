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
from trainingrun_operator.settings import Settings

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]
assert looptime

SETTINGS = Settings(config=CONFIG, identity="me", watch_namespace=None)


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
        played.given_back.append((name, namespace, body["spec"]["holderIdentity"]))

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
        await asyncio.wait_for(lead(api, SETTINGS, work), 60)
    assert stopped.is_set()
    assert election.given_back == []


async def test_whoever_has_done_the_work_gives_the_lease_back(election: Election, api: client.ApiClient) -> None:
    async def work() -> None:
        """Done at once."""

    await lead(api, SETTINGS, work)
    assert election.given_back == [("trainingrun-operator", "trainingrun-system", None)]


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
    await lead(api, SETTINGS, work)
    assert held == [False]
