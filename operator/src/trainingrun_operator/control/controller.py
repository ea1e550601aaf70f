"""The workers that take runs from the queue, and the ticker that looks at all of them now and then."""

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable, Sequence

from trainingrun_operator.cluster.port import BusyError, Cluster, ClusterError, Raw
from trainingrun_operator.control.queue import WorkQueue
from trainingrun_operator.metrics import Metrics
from trainingrun_operator.pace import Timing

log = logging.getLogger(__name__)

Key = tuple[str, str]
Reconcile = Callable[[Key], Awaitable[float | None]]


class Controller:
    """Looks at every run that is in the queue, several at a time, never one twice at the same time."""

    def __init__(self, reconcile: Reconcile, *, queue: WorkQueue[Key], metrics: Metrics) -> None:
        self._reconcile = reconcile
        self._queue = queue
        self._metrics = metrics
        metrics.watch_queue(queue.__len__)

    async def run(self, *, workers: int) -> None:
        """Work for ever."""
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(self._work())

    async def drain(self, *, timing: Timing) -> None:
        """Wait until no run is queued or looked at, but not for ever."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._queue.idle.wait(), timing.drain_seconds)

    async def _work(self) -> None:
        while True:
            key = await self._queue.take()
            try:
                await self.handle(key)
            finally:
                self._queue.done(key)

    async def handle(self, key: Key) -> None:
        """Look at one run; whatever goes wrong is retried, and never stops another run."""
        started = asyncio.get_running_loop().time()
        result = "done"
        try:
            again = await self._reconcile(key)
            self._queue.forget(key)
            if again is not None:
                self._queue.add_after(key, again)
        except ClusterError as problem:
            result = type(problem).__name__
            patience = problem.retry_after if isinstance(problem, BusyError) else None
            seconds = self._queue.retry(key, at_least=patience or 0.0)
            log.warning("%s; again in %.1f s", problem, seconds, extra={"namespace": key[0], "run": key[1]})
        except Exception:
            result = "defect"
            self._metrics.defects.inc()
            seconds = self._queue.retry(key)
            log.exception("looking at a run failed; again in %.1f s", seconds, extra={"namespace": key[0], "run": key[1]})
        finally:
            self._metrics.reconcile_seconds.labels(result).observe(asyncio.get_running_loop().time() - started)


async def resync(
    cluster: Cluster,
    queue: WorkQueue[Key],
    *,
    namespaces: Sequence[str] | None,
    timing: Timing,
    listed: Callable[[Sequence[Raw]], None] = lambda _: None,
) -> None:
    """Look at all runs of these namespaces, or of all, at once and then now and then, in case an event was missed. For ever.

    `listed` is told which runs there are. When those of one namespace cannot be listed it is tried again soon.
    """
    while True:
        runs, is_complete = list[Raw](), True
        for namespace in namespaces or (None,):
            try:
                runs += await cluster.list_runs(namespace)
            except ClusterError as problem:
                is_complete = False
                log.warning("resync failed: %s", problem)
        for run in runs:
            queue.add((run["metadata"]["namespace"], run["metadata"]["name"]))
        if is_complete:
            listed(runs)
            await asyncio.sleep(timing.resync_seconds * random.uniform(0.8, 1.2))
        else:
            await asyncio.sleep(min(timing.resync_seconds, timing.api_timeout_seconds))
