"""How far the active attempts are: worker 0 of each is asked again and again, like a metrics endpoint.

Pods need no permission and no connection to the API server for this. A worker that does not answer is asked again; what it
said last stays, with its own time, so that old numbers look old.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from trainingrun.contract import ProgressReport
from trainingrun_operator.pace import Pace, Timing
from trainingrun_operator.status.measurements import is_worth_a_look

log = logging.getLogger(__name__)

LONGEST_PAUSE = 8
"""A worker that does not answer is asked more and more seldom, and at least once in so many times the usual pause."""

Key = tuple[str, str]
Ask = Callable[[str], Awaitable[ProgressReport | None]]


class ProgressBook:
    """Last reports by run, when they last changed, and whom to ask for the next."""

    def __init__(self, *, pace: Pace, timing: Timing, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._hosts: dict[Key, str] = {}
        self._reports: dict[Key, ProgressReport] = {}
        self._looked: dict[Key, ProgressReport] = {}
        self._changed: dict[Key, datetime] = {}
        self._heard_at: dict[Key, datetime] = {}
        self._uids: dict[Key, str] = {}
        self._asking: dict[Key, asyncio.Task[None]] = {}
        self._followed = asyncio.Event()
        self._pace = pace
        self._timing = timing
        self._now = now

    def belongs_to(self, key: Key, *, uid: str) -> None:
        """Forget the reports of a run that was deleted, and created again under its name: attempts count from 1 in both."""
        if self._uids.get(key, uid) != uid:
            self.forget(key)
        self._uids[key] = uid

    def follow(self, key: Key, *, host: str) -> None:
        """Ask this host from now on."""
        known, self._hosts[key] = self._hosts.get(key), host
        if known != host and key in self._asking:
            self._asking[key].cancel()  # it may be in a long pause, which the last host has earned
        self._followed.set()

    def stop(self, key: Key) -> None:
        """Ask nobody; the last report stays."""
        self._hosts.pop(key, None)

    def forget(self, key: Key) -> None:
        """The run needs no reports any more."""
        self._hosts.pop(key, None)
        self._reports.pop(key, None)
        self._looked.pop(key, None)
        self._changed.pop(key, None)
        self._heard_at.pop(key, None)
        self._uids.pop(key, None)

    def latest(self, key: Key) -> ProgressReport | None:
        """The last report of a run."""
        return self._reports.get(key)

    def changed(self, key: Key) -> datetime | None:
        """When the last report of a run began to be what it is, by the operator's own clock."""
        return self._changed.get(key)

    def heard(self, key: Key) -> datetime | None:
        """When the last report of a run came, by the same clock."""
        return self._heard_at.get(key)

    def note(self, key: Key, report: ProgressReport) -> bool:
        """Keep a report; returns whether the run should be looked at because of it."""
        looked, now = self._looked.get(key), self._now()
        if self._reports.get(key) != report:
            self._changed[key] = now
        self._reports[key] = report
        self._heard_at[key] = now
        if looked is not None and not is_worth_a_look(looked, report, looked=looked.updated_at, pace=self._pace):
            return False
        self._looked[key] = report
        return True

    async def poll(self, ask: Ask, *, on_change: Callable[[Key], None]) -> None:
        """Ask all hosts again and again, for ever: each at its own pace, so that one that is slow delays no other."""
        try:
            while True:
                for key in self._hosts.keys() - self._asking.keys():
                    self._asking[key] = asyncio.create_task(self._poll(key, ask, on_change))
                self._followed.clear()
                await self._followed.wait()
        finally:
            for task in self._asking.values():
                task.cancel()

    async def _poll(self, key: Key, ask: Ask, on_change: Callable[[Key], None]) -> None:
        """Ask one worker until nobody wants to know."""
        silent = 0
        try:
            while (host := self._hosts.get(key)) is not None:
                report = await self._heard(ask, host)
                silent = 0 if report is not None else silent + 1
                if report is not None and self._hosts.get(key) == host and self.note(key, report):
                    on_change(key)
                await asyncio.sleep(self._timing.progress_poll_seconds * min(LONGEST_PAUSE, 2 ** max(0, silent - 1)))
        finally:
            del self._asking[key]
            self._followed.set()  # it may be wanted again

    async def _heard(self, ask: Ask, host: str) -> ProgressReport | None:
        """The report of a host; whatever goes wrong with it is none."""
        try:
            return await ask(host)
        except Exception:
            log.exception("asking %s for progress failed", host)
            return None
