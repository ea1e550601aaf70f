"""An HTTP proxy between one operator and the API server: it records every write, and lets things go wrong.

Towards the operator it speaks plain HTTP on loopback; towards the API server it is the operator's ServiceAccount, so that the
shipped permissions apply. Writes of the Lease and of Events are passed on but not counted: a lost Event is no lost state.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
from aiohttp import web

from tests.faults.faults import CODES, Faults, Kind, NoFaults, Watching

_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_UNCOUNTED = ("/leases", "/events")
_PASSED_ON = ("Accept", "Content-Type", "User-Agent")


@dataclass(frozen=True)
class Write:
    """A write as the operator sent it, and the code that the API server answered; None: it never arrived."""

    verb: str
    path: str
    body: Any
    code: int | None
    is_struck: bool = False
    """Whether something went wrong with it."""

    @property
    def is_counted(self) -> bool:
        """Whether it is about a run or its children."""
        return not any(part in self.path for part in _UNCOUNTED)

    @property
    def is_done(self) -> bool:
        """Whether the API server has carried it out."""
        return self.code is not None and self.code < 300

    def __str__(self) -> str:
        name = (self.body or {}).get("metadata", {}).get("name", "") if self.verb == "POST" else ""
        return f"{self.verb} {self.path}{name and '/'}{name} -> {self.code}"


@dataclass
class Proxy:
    """One proxy; `faults` and `watching` say what goes wrong, and `kill` ends the operator and returns once it is dead."""

    upstream: aiohttp.ClientSession
    kill: Callable[[], Awaitable[None]]
    faults: Faults = field(default_factory=NoFaults)
    watching: Watching = field(default_factory=Watching)
    writes: list[Write] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)
    """Paths that the operator has read since it was started last."""
    requests: int = 0
    """All requests so far, but for those about the Lease."""
    struck: list[Kind] = field(default_factory=list)
    """The faults that have happened."""
    _counted: int = 0

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        """Answer on loopback while the context lasts; yields the URL."""
        app = web.Application(client_max_size=16 * 2**20)
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, host="127.0.0.1", port=0)
        await site.start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.query.get("watch") == "true":
            return await self._watch(request)
        body = await request.read()
        self.requests += "/leases" not in request.path
        if request.method not in _WRITES:
            self.reads.append(request.path)
            return await self._read(request, body)
        return await self._write(request, body)

    async def _read(self, request: web.Request, body: bytes) -> web.StreamResponse:
        fault = None if "/leases" in request.path else self._strike(self.faults.of_read())
        return await self._forward(request, body) if fault is None else _refusal(fault)

    async def _write(self, request: web.Request, body: bytes) -> web.StreamResponse:
        sent = Write(request.method, request.path, json.loads(body) if body else None, None)
        if sent.is_counted:
            self._counted += 1
            fault = self._strike(self.faults.of_write(self._counted))
            sent = replace(sent, is_struck=fault is not None)
        else:
            fault = None
        if fault is Kind.KILL_BEFORE:
            self.writes.append(sent)
            return await self._kill()
        if fault in CODES:
            self.writes.append(sent)
            return _refusal(fault)
        reply = await self._forward(request, body)
        self.writes.append(replace(sent, code=reply.status))
        if fault is Kind.KILL_AFTER:
            return await self._kill()
        if fault is Kind.DROP_REPLY and request.transport is not None:
            request.transport.close()
        return reply

    def _strike(self, fault: Kind | None) -> Kind | None:
        if fault is not None:
            self.struck.append(fault)
        return fault

    async def _kill(self) -> web.Response:
        """The operator is dead when this returns, so nobody hears the answer."""
        await self.kill()
        self.reads.clear()
        return web.Response()

    async def _forward(self, request: web.Request, body: bytes) -> web.Response:
        async with self.upstream.request(
            request.method, request.rel_url, data=body or None, headers=_headers(request)
        ) as reply:
            passed_on = {name: reply.headers[name] for name in ("Content-Type", "Retry-After") if name in reply.headers}
            return web.Response(status=reply.status, body=await reply.read(), headers=passed_on)

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        """Pass a stream on, line by line; it ends when either side ends it."""
        fault = self._strike(self.faults.of_read())
        if fault is not None:
            return _refusal(fault)
        stream = web.StreamResponse()
        async with self.upstream.get(request.rel_url, headers=_headers(request)) as reply:
            stream.set_status(reply.status)
            stream.content_type = reply.content_type
            await stream.prepare(request)
            with contextlib.suppress(aiohttp.ClientError, ConnectionError):
                async for part in _arrivals(reply.content, watching=self.watching):
                    await stream.write(part)
        return stream


async def _arrivals(content: aiohttp.StreamReader, *, watching: Watching) -> AsyncIterator[bytes]:
    """A stream's lines, each so often, or all that has come meanwhile, now and then."""
    while not content.at_eof():
        if watching.hold_seconds > 0:
            await asyncio.sleep(watching.hold_seconds)
            yield await content.readany()
        else:
            yield await content.readline() * watching.repeat


def _headers(request: web.Request) -> dict[str, str]:
    return {name: request.headers[name] for name in _PASSED_ON if name in request.headers}


def _refusal(kind: Kind) -> web.Response:
    """A refusal in the API server's form."""
    code = CODES[kind]
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": f"injected {code}"}
    headers = {"Retry-After": "1"} if kind is Kind.TOO_MANY else {}
    return web.json_response(status, status=code, headers=headers)
