"""How far the active attempts are: worker 0 of each is asked over HTTP, like a metrics endpoint.

Pods need no permission and no connection to the API server for this. A worker that does not answer is asked again; what it
said last stays, with its own time, so that old numbers look old.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import aiohttp
from pydantic import ValidationError

from trainingrun.contract import PROGRESS_PORT, STACKS_PATH, ProgressReport
from trainingrun_operator.pace import Pace, Timing
from trainingrun_operator.status.measurements import is_worth_a_look

log = logging.getLogger(__name__)

PARALLEL = 16

Key = tuple[str, str]


class ProgressBook:
    """Last reports by run, when they last changed, and whom to ask for the next."""

    def __init__(
        self,
        *,
        pace: Pace,
        timing: Timing,
        port: int = PROGRESS_PORT,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._hosts: dict[Key, str] = {}
        self._reports: dict[Key, ProgressReport] = {}
        self._looked: dict[Key, ProgressReport] = {}
        self._changed: dict[Key, datetime] = {}
        self._uids: dict[Key, str] = {}
        self._pace = pace
        self._timing = timing
        self._port = port
        self._now = now

    def belongs_to(self, key: Key, *, uid: str) -> None:
        """Forget the reports of a run that was deleted, and created again under its name: attempts count from 1 in both."""
        if self._uids.get(key, uid) != uid:
            self.forget(key)
        self._uids[key] = uid

    def follow(self, key: Key, *, host: str) -> None:
        """Ask this host from now on."""
        self._hosts[key] = host

    def stop(self, key: Key) -> None:
        """Ask nobody; the last report stays."""
        self._hosts.pop(key, None)

    def forget(self, key: Key) -> None:
        """The run needs no reports any more."""
        self._hosts.pop(key, None)
        self._reports.pop(key, None)
        self._looked.pop(key, None)
        self._changed.pop(key, None)
        self._uids.pop(key, None)

    def latest(self, key: Key) -> ProgressReport | None:
        """The last report of a run."""
        return self._reports.get(key)

    def changed(self, key: Key) -> datetime | None:
        """When the last report of a run began to be what it is, by the operator's own clock."""
        return self._changed.get(key)

    def note(self, key: Key, report: ProgressReport) -> bool:
        """Keep a report; returns whether the run should be looked at because of it."""
        looked = self._looked.get(key)
        if self._reports.get(key) != report:
            self._changed[key] = self._now()
        self._reports[key] = report
        if looked is not None and not is_worth_a_look(looked, report, looked=looked.updated_at, pace=self._pace):
            return False
        self._looked[key] = report
        return True

    async def poll(self, *, on_change: Callable[[Key], None]) -> None:
        """Ask all hosts again and again, for ever."""
        async with self._session(self._timing.progress_timeout_seconds) as session:
            limit = asyncio.Semaphore(PARALLEL)
            while True:
                hosts = list(self._hosts.items())
                await asyncio.gather(*(self._ask(session, limit, key, host, on_change) for key, host in hosts))
                await asyncio.sleep(self._timing.progress_poll_seconds)

    async def ask_for_stacks(self, hosts: Iterable[str]) -> None:
        """Ask workers to write down where their ranks are; one that does not answer is passed over."""
        async with self._session(self._timing.stacks_timeout_seconds) as session:
            await asyncio.gather(*(self._ask_for_stacks(session, host) for host in hosts))

    def _session(self, seconds: float) -> aiohttp.ClientSession:
        """Connections to workers, which must answer within so many seconds."""
        timeout = aiohttp.ClientTimeout(total=seconds, connect=self._timing.worker_connect_timeout_seconds)
        return aiohttp.ClientSession(timeout=timeout)

    async def _ask_for_stacks(self, session: aiohttp.ClientSession, host: str) -> None:
        try:
            async with session.post(f"{self._base(host)}{STACKS_PATH}") as response:
                await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as silent:
            log.warning("no stacks from %s: %r", host, silent)

    def _base(self, host: str) -> str:
        address = f"[{host}]" if ":" in host else host
        return f"http://{address}:{self._port}"

    async def _ask(
        self,
        session: aiohttp.ClientSession,
        limit: asyncio.Semaphore,
        key: Key,
        host: str,
        on_change: Callable[[Key], None],
    ) -> None:
        try:
            async with limit, session.get(f"{self._base(host)}/progress") as response:
                report = ProgressReport.model_validate_json(await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError, ValidationError) as silent:
            log.debug("no progress from %s: %r", host, silent)
            return
        if key in self._hosts and self.note(key, report):
            on_change(key)
