"""Health and metrics over HTTP, on the leader and on the standby alike, outside of kopf."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from trainingrun_operator.metrics import Metrics

LAG_INTERVAL = 1.0
LAG_LIMIT = 10.0


@asynccontextmanager
async def serve(*, port: int, metrics: Metrics, obstacle: Callable[[], str | None]) -> AsyncIterator[None]:
    """Answer /livez, /readyz and /metrics while the context lasts; `obstacle` says why it is not ready, if it is not.

    An event loop that is stuck cannot answer at all, and one that is merely late says so.
    """
    heartbeat = _Heartbeat(metrics)
    app = web.Application()

    async def livez(_: web.Request) -> web.Response:
        lag = heartbeat.lag
        return web.Response(text=f"loop lag {lag:.3f} s", status=200 if lag < LAG_LIMIT else 500)

    async def readyz(_: web.Request) -> web.Response:
        why = obstacle()
        return web.Response(text=why or "ready", status=503 if why else 200)

    async def show_metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app.add_routes([web.get("/livez", livez), web.get("/readyz", readyz), web.get("/metrics", show_metrics)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, port=port).start()
    beating = asyncio.create_task(heartbeat.beat())
    try:
        yield
    finally:
        beating.cancel()
        await runner.cleanup()


class _Heartbeat:
    """How late the event loop wakes up a task that sleeps."""

    def __init__(self, metrics: Metrics) -> None:
        self.lag = 0.0
        self._metrics = metrics

    async def beat(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(LAG_INTERVAL)
            self.lag = max(0.0, loop.time() - before - LAG_INTERVAL)
            self._metrics.loop_lag.observe(self.lag)
