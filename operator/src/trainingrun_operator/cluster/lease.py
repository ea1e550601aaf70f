"""Leader election by a Lease: only its holder watches and writes. Whoever loses it ends the process, with all it knows."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
from kubernetes.aio import client
from kubernetes.aio.leaderelection import electionconfig, leaderelection
from kubernetes.aio.leaderelection.leaderelectionrecord import LeaderElectionRecord
from kubernetes.aio.leaderelection.resourcelock.leaselock import LeaseLock

from trainingrun_operator.settings import Settings

log = logging.getLogger(__name__)


class LeaseLostError(Exception):
    """The Lease could not be renewed in time; another replica may lead by now."""


async def lead(api: client.ApiClient, settings: Settings, work: Callable[[], Awaitable[None]]) -> None:
    """Wait for the Lease, then do the work while renewing it; returns when the work does, and gives the Lease back.

    Raises LeaseLostError when the Lease is lost meanwhile, and whatever the work raises.
    """
    started = asyncio.Event()

    async def begin() -> None:
        started.set()

    async def nothing() -> None:
        """The loss shows by the election's end."""

    election = leaderelection.LeaderElection(
        electionconfig.Config(
            _PatientLock(settings.lease_name, settings.config.namespace, settings.identity, api),
            lease_duration=settings.timing.lease_duration_seconds,
            renew_deadline=settings.timing.lease_renew_deadline_seconds,
            retry_period=settings.timing.lease_retry_period_seconds,
            onstarted_leading=begin,
            onstopped_leading=nothing,
        )
    )
    renewing = asyncio.create_task(election.run())
    try:
        await _first(renewing, asyncio.create_task(started.wait()))
        log.info("leading", extra={"identity": settings.identity})
        await _first(renewing, asyncio.ensure_future(work()))
    finally:
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)
    await _release(api, settings)


class _PatientLock(LeaseLock):
    """A lock for which an API server that does not answer is a failed try, not the end of the election."""

    async def get(
        self, name: str, namespace: str
    ) -> tuple[bool, LeaderElectionRecord] | tuple[bool, Exception] | tuple[bool, None]:
        """The record of the Lease, or why there is none."""
        try:
            return await super().get(name, namespace)
        except (aiohttp.ClientError, TimeoutError, OSError) as lost:
            return False, client.ApiException(status=0, reason=repr(lost))

    async def create(self, name: str, namespace: str, election_record: LeaderElectionRecord) -> bool:
        """Whether the Lease could be created. The library's own method passes `pretty=True`, which its client refuses."""
        body = client.V1Lease(metadata=client.V1ObjectMeta(name=name), spec=self.update_lease(election_record))
        try:
            await self.api_instance.create_namespaced_lease(namespace, body)
        except (client.ApiException, aiohttp.ClientError, TimeoutError, OSError) as refused:
            log.warning("the Lease could not be created: %s", refused)
            return False
        return True

    async def update(self, name: str, namespace: str, updated_record: LeaderElectionRecord) -> bool:
        """Whether the Lease could be written."""
        try:
            return bool(await super().update(name, namespace, updated_record))
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False


async def _first(renewing: "asyncio.Task[None]", wanted: "asyncio.Future[Any]") -> None:
    """Wait for `wanted`; the election only ends before it when the Lease is lost."""
    try:
        await asyncio.wait({renewing, wanted}, return_when=asyncio.FIRST_COMPLETED)
        if not wanted.done():
            raise LeaseLostError("the Lease was lost") from renewing.exception()
        wanted.result()
    finally:
        wanted.cancel()
        await asyncio.gather(wanted, return_exceptions=True)


async def _release(api: client.ApiClient, settings: Settings) -> None:
    """Let the other replica take over at once instead of after the Lease has run out."""
    try:
        await client.CoordinationV1Api(api).patch_namespaced_lease(
            settings.lease_name,
            settings.config.namespace,
            {"spec": {"holderIdentity": None, "leaseDurationSeconds": 1}},
            _content_type="application/merge-patch+json",
        )
    except Exception as problem:  # the process ends anyway, and the Lease runs out by itself
        log.warning("the Lease could not be released: %s", problem)
