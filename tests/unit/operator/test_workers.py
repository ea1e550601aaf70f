"""Workers that answer as they like: nothing but a short, honest answer is heard, and nobody else waits for it."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.client_proto import ResponseHandler

from tests.builders import NOON, stamp
from tests.patience import patience
from trainingrun_operator.bounds import REPORT_BYTES
from trainingrun_operator.control.workers import Workers
from trainingrun_operator.pace import Timing

pytestmark = pytest.mark.asyncio

REPORT = json.dumps({"attempt": 1, "epoch": 3, "updatedAt": stamp(NOON)}).encode()
MANY = 100
USUAL = Timing()
PATIENT = Timing(progress_timeout_seconds=60, stacks_timeout_seconds=60, worker_connect_timeout_seconds=60)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def asking(handler: Handler, *, timing: Timing = USUAL) -> AsyncIterator[Workers]:
    """What asks a worker that answers like this, whatever it is asked."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        async with aclosing(Workers(timing=timing, port=runner.addresses[0][1])) as workers:
            yield workers
    finally:
        await runner.cleanup()


async def test_an_honest_report_is_heard() -> None:
    async def honest(request: web.Request) -> web.Response:
        return web.Response(body=REPORT)

    async with asking(honest) as workers:
        report = await workers.progress("127.0.0.1")
    assert report is not None
    assert report.epoch == 3


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(code: int) -> None:
    asked: list[str] = []

    async def elsewhere(request: web.Request) -> web.Response:
        asked.append(f"{request.method} {request.path}")
        return web.Response(status=code, headers={"Location": "/victim"}, body=REPORT)

    async with asking(elsewhere) as workers:
        assert await workers.progress("127.0.0.1") is None
        await workers.write_stacks(["127.0.0.1"])
    assert asked == ["GET /progress", "POST /stacks"]


@pytest.mark.parametrize("code", [204, 404, 500])
async def test_only_an_answer_of_200_is_one(code: int) -> None:
    async def other(request: web.Request) -> web.Response:
        return web.Response(status=code, body=REPORT)

    async with asking(other) as workers:
        assert await workers.progress("127.0.0.1") is None


async def test_a_body_without_end_is_read_up_to_the_bound() -> None:
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        answer = web.StreamResponse()
        await answer.prepare(request)
        while True:
            await answer.write(b" " * 4096)
            sent += 4096

    async with asking(endless) as workers:
        assert await workers.progress("127.0.0.1") is None
        await workers.write_stacks(["127.0.0.1"])
    assert sent < 2 * (REPORT_BYTES + 8 * 2**20), "no more than what the kernel holds in between"


async def test_an_answer_without_end_is_parsed_in_sips_between_which_others_are_looked_after(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken: list[int] = []
    parse = ResponseHandler.data_received

    def note(self: ResponseHandler, data: bytes) -> None:
        taken.append(len(data))
        parse(self, data)

    async def go_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000)
        writer.close()

    monkeypatch.setattr(ResponseHandler, "data_received", note)
    server = await asyncio.start_server(go_on, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    async with server, aclosing(Workers(timing=PATIENT, port=port)) as workers:
        assert await workers.progress("127.0.0.1") is None
    assert sum(taken) >= 200_000
    assert max(taken) <= 16 * 1024


async def test_nothing_is_decompressed() -> None:
    wanted: list[str] = []

    async def compressed(request: web.Request) -> web.Response:
        wanted.append(request.headers["Accept-Encoding"])
        return web.Response(body=gzip.compress(REPORT), headers={"Content-Encoding": "gzip"})

    async with asking(compressed) as workers:
        assert await workers.progress("127.0.0.1") is None
    assert wanted == ["identity"]


async def test_a_worker_that_never_answers_delays_no_other() -> None:
    release, waiting = asyncio.Event(), asyncio.Semaphore(0)

    async def answer(request: web.Request) -> web.Response:
        if request.method == "POST":
            waiting.release()
            await release.wait()
        return web.Response(body=REPORT)

    async with asking(answer, timing=PATIENT) as workers:
        stuck = asyncio.create_task(workers.write_stacks(["127.0.0.1"] * MANY))
        async with asyncio.timeout(patience(2)):
            for _ in range(MANY):
                await waiting.acquire()
        assert await workers.progress("127.0.0.1") is not None
        assert not stuck.done()
        release.set()
        await stuck


@pytest.mark.parametrize("host", ["", "no such host", "127.0.0.1/../", "[::1", "a" * 5000])
async def test_an_address_that_is_none_is_no_answer(host: str) -> None:
    async with aclosing(Workers(timing=Timing())) as workers:
        assert await workers.progress(host) is None
