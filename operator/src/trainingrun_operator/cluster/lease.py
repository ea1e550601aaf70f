"""Leader election by a Lease: only its holder watches and writes. Whoever loses it ends the process, with all it knows.

The election is the Kubernetes client's. What it leaves open is here: its calls have no time-out of their own, it goes by a
clock that can be set, and it goes on for a while after somebody else has taken the Lease.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import aiohttp
from kubernetes.aio import client
from kubernetes.aio.leaderelection import electionconfig, leaderelection
from kubernetes.aio.leaderelection.leaderelectionrecord import LeaderElectionRecord
from kubernetes.aio.leaderelection.resourcelock.leaselock import LeaseLock

from trainingrun_operator.leadership import Leadership
from trainingrun_operator.settings import Settings

log = logging.getLogger(__name__)

_NO_ANSWER = (aiohttp.ClientError, TimeoutError, OSError)
_WATCH_SECONDS = 0.5
_CALLS = 2
"""So many calls of the election one after the other, each with its whole time-out, may take as long as a renewal."""


class LeaseLostError(Exception):
    """The Lease could not be renewed in time, or is somebody else's; another replica may lead by now."""


async def lead(
    api: client.ApiClient, settings: Settings, work: Callable[[], Awaitable[None]], *, leadership: Leadership
) -> None:
    """Wait for the Lease, then do the work while renewing it; returns when the work does, and gives the Lease back.

    `leadership` is told how it goes. Raises LeaseLostError when the Lease is lost meanwhile, and whatever the work raises.
    """
    started = asyncio.Event()

    async def begin() -> None:
        started.set()

    async def nothing() -> None:
        """The loss shows by the election's end."""

    election = leaderelection.LeaderElection(
        electionconfig.Config(
            _Lock(api, settings, leadership),
            lease_duration=settings.timing.lease_duration_seconds,
            renew_deadline=settings.timing.lease_renew_deadline_seconds,
            retry_period=settings.timing.lease_retry_period_seconds,
            onstarted_leading=begin,
            onstopped_leading=nothing,
        )
    )
    renewing = asyncio.create_task(election.run())
    watching: asyncio.Task[None] | None = None
    try:
        await _first({renewing}, asyncio.create_task(started.wait()))
        log.info("leading", extra={"identity": settings.identity})
        leadership.begin()
        watching = asyncio.create_task(_until_lost(leadership))
        await _first({renewing, watching}, asyncio.ensure_future(work()))
    finally:
        ending = [task for task in (renewing, watching) if task is not None]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
    await _release(api, settings)


class _Lock(LeaseLock):
    """A lock for which an API server that does not answer in time is a failed try, not the end of the election."""

    def __init__(self, api: client.ApiClient, settings: Settings, leadership: Leadership) -> None:
        super().__init__(settings.lease_name, settings.config.namespace, settings.identity, api)
        self._leadership = leadership
        self._seconds = settings.timing.lease_renew_deadline_seconds / _CALLS

    async def get(
        self, name: str, namespace: str
    ) -> tuple[bool, LeaderElectionRecord] | tuple[bool, Exception] | tuple[bool, None]:
        """The record of the Lease, or why there is none."""
        try:
            async with asyncio.timeout(self._seconds):
                answer = await super().get(name, namespace)
        except _NO_ANSWER as lost:
            self._leadership.miss(repr(lost))
            return False, client.ApiException(status=0, reason=repr(lost))
        record = answer[1]
        if isinstance(record, client.ApiException) and record.status != HTTPStatus.NOT_FOUND:
            self._leadership.miss(f"{record.status} {record.reason}")
        else:
            self._leadership.hear(getattr(record, "holder_identity", None), own=self.identity)
        return answer

    async def create(self, name: str, namespace: str, election_record: LeaderElectionRecord) -> bool:
        """Whether the Lease could be created. The library's own method passes `pretty=True`, which its client refuses."""
        since = self._leadership.now()
        body = client.V1Lease(metadata=client.V1ObjectMeta(name=name), spec=self.update_lease(election_record))
        try:
            async with asyncio.timeout(self._seconds):
                await self.api_instance.create_namespaced_lease(namespace, body)
        except (client.ApiException, *_NO_ANSWER) as refused:
            log.warning("the Lease could not be created: %s", refused)
            return False
        self._leadership.renew(since=since)
        return True

    async def update(self, name: str, namespace: str, updated_record: LeaderElectionRecord) -> bool:
        """Whether the Lease could be written."""
        since = self._leadership.now()
        try:
            async with asyncio.timeout(self._seconds):
                written = bool(await super().update(name, namespace, updated_record))
        except _NO_ANSWER:
            return False
        if written:
            self._leadership.renew(since=since)
        return written


async def _until_lost(leadership: Leadership) -> None:
    """Return once the Lease is not held any more, whatever the election makes of it."""
    while leadership.is_held:  # noqa: ASYNC110 - it is a clock that ends it, and no event
        await asyncio.sleep(_WATCH_SECONDS)


async def _first(losing: set["asyncio.Task[None]"], wanted: "asyncio.Future[Any]") -> None:
    """Wait for `wanted`; one of the others only ends before it when the Lease is lost."""
    try:
        await asyncio.wait({*losing, wanted}, return_when=asyncio.FIRST_COMPLETED)
        if not wanted.done():
            causes = [task.exception() for task in losing if task.done()]
            raise LeaseLostError("the Lease was lost") from next(filter(None, causes), None)
        wanted.result()
    finally:
        wanted.cancel()
        await asyncio.gather(wanted, return_exceptions=True)


async def _release(api: client.ApiClient, settings: Settings) -> None:
    """Let the other replica take over at once instead of after the Lease has run out; never take it from another holder."""
    holder = "/spec/holderIdentity"
    mine: list[dict[str, Any]] = [
        {"op": "test", "path": holder, "value": settings.identity},
        {"op": "remove", "path": holder},
        {"op": "replace", "path": "/spec/leaseDurationSeconds", "value": 1},
    ]
    try:
        async with asyncio.timeout(settings.timing.lease_renew_deadline_seconds):
            await client.CoordinationV1Api(api).patch_namespaced_lease(
                settings.lease_name, settings.config.namespace, mine, _content_type="application/json-patch+json"
            )
    except Exception as problem:  # the process ends anyway, and the Lease runs out by itself
        log.warning("the Lease could not be released: %s", problem)
