"""The operator's entry point: settings, health server, election, then the controller while the Lease is held."""

import asyncio
import logging
import os
import signal
import sys
from datetime import UTC, datetime

from kubernetes.aio import client, config

from trainingrun_operator import logs
from trainingrun_operator.children.gang import pod_group_api
from trainingrun_operator.cluster.kube import KubeCluster
from trainingrun_operator.cluster.lease import LeaseLostError, lead
from trainingrun_operator.control.controller import Controller, resync
from trainingrun_operator.control.nodes import NodeBook
from trainingrun_operator.control.progress import ProgressBook
from trainingrun_operator.control.queue import WorkQueue
from trainingrun_operator.control.reconcile import Key, Reconciler
from trainingrun_operator.control.sightings import Sightings
from trainingrun_operator.control.survey import Hearing, Survey
from trainingrun_operator.control.workers import Workers
from trainingrun_operator.leadership import Leadership
from trainingrun_operator.metrics import Metrics
from trainingrun_operator.serving import serve
from trainingrun_operator.settings import Settings
from trainingrun_operator.watch import watch

log = logging.getLogger("trainingrun_operator")


def main() -> int:
    """Run until SIGTERM; returns 0 then, and 1 when the Lease was lost or something failed for good."""
    logs.configure()
    try:
        settings = Settings.from_environment(os.environ)
    except ValueError as problem:
        log.error("%s", problem)
        return 64
    return asyncio.run(_run(settings))


async def _run(settings: Settings) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    metrics = Metrics()
    await _login()
    leadership = Leadership(seconds=settings.timing.lease_renew_deadline_seconds)
    async with client.ApiClient() as api, serve(port=settings.port, metrics=metrics, obstacle=lambda: leadership.obstacle):
        elected = asyncio.Event()

        async def work() -> None:
            elected.set()
            await _work(api, settings, metrics, stop, leadership)

        leading = asyncio.create_task(lead(api, settings, work, leadership=leadership))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({leading, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not elected.is_set():
            leading.cancel()
        stopping.cancel()
        try:
            await leading
        except asyncio.CancelledError:
            return 0
        except LeaseLostError as lost:
            log.error("%s: ending, another replica may lead", lost, exc_info=lost.__cause__)
            return 1
        except Exception:
            log.exception("ending")
            return 1
    return 0


async def _work(
    api: client.ApiClient, settings: Settings, metrics: Metrics, stop: asyncio.Event, leadership: Leadership
) -> None:
    """Control runs until SIGTERM, which ends the watch or sets `stop`; then finish what is queued, for some seconds."""
    metrics.is_leader.set(1)
    timing, gang_scheduler = settings.timing, settings.config.gang_scheduler
    queue: WorkQueue[Key] = WorkQueue(timing=timing, on_taken=metrics.queue_wait.observe)
    hearing = Hearing(metrics)
    cluster = KubeCluster(
        api,
        metrics=metrics,
        timing=timing,
        identity=settings.identity,
        pod_groups=pod_group_api(gang_scheduler) if gang_scheduler else None,
        may_write=lambda: leadership.may_write,
    )
    book = ProgressBook(pace=settings.config.pace, timing=timing)
    workers = Workers(timing=timing)
    reconciler = Reconciler(
        cluster=cluster,
        progress=book,
        write_stacks=workers.write_stacks,
        sightings=Sightings(now=_now),
        nodes=NodeBook(cluster, timing=timing, now=_now),
        config=settings.config,
        metrics=metrics,
        now=_now,
    )
    controller = Controller(reconciler.reconcile, queue=queue, metrics=metrics)
    # Started before kopf, which cancels at its end every task that was made after its own start.
    working = asyncio.create_task(controller.run(workers=settings.workers))
    tasks = [
        working,
        asyncio.create_task(book.poll(workers.progress, on_change=queue.add)),
        asyncio.create_task(
            resync(
                cluster,
                queue,
                namespaces=settings.watch_namespaces,
                timing=timing,
                listed=Survey(metrics, hearing, now=_now).note,
            )
        ),
    ]
    watching = asyncio.create_task(watch(queue, namespaces=settings.watch_namespaces, timing=timing, hearing=hearing))
    stopping = asyncio.create_task(stop.wait())
    try:
        done, _ = await asyncio.wait({*tasks, watching, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for task in done - {stopping}:
            task.result()
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await controller.drain(timing=timing)
    finally:
        for task in (*tasks, watching, stopping):
            task.cancel()
        await asyncio.gather(*tasks, watching, stopping, return_exceptions=True)
        await workers.aclose()


def _now() -> datetime:
    return datetime.now(UTC)


async def _login() -> None:
    """Use the service account in a pod, and a kubeconfig elsewhere."""
    if "KUBERNETES_SERVICE_HOST" in os.environ:
        config.load_incluster_config()  # type: ignore[no-untyped-call]  # the library is untyped here
    else:
        await config.load_kube_config()  # type: ignore[no-untyped-call]  # the library is untyped here


if __name__ == "__main__":
    sys.exit(main())
