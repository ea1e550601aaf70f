"""Workers asked over HTTP. They are strangers: whoever may create a run chooses the image that answers here.

An answer is read in sips up to a bound, and never decompressed; a redirect is not followed, as it would lead a request of the
operator to wherever a pod wants; and whatever goes wrong with one worker is no answer, and nothing else.
"""

import asyncio
import logging
import socket
from collections.abc import Iterable

import aiohttp

from trainingrun.contract import PROGRESS_PORT, STACKS_PATH, ProgressReport
from trainingrun_operator import bounds
from trainingrun_operator.pace import Timing

log = logging.getLogger(__name__)

_AS_IT_IS = {"Accept-Encoding": "identity"}
_CHUNK = 8192
_BUFFER = 4096
"""Bytes of a connection that may lie ready. Answers to go on (1xx), of which there may be any number, take long to parse."""


class Workers:
    """Asks the agents of workers, from inside an event loop. To be closed."""

    def __init__(self, *, timing: Timing, port: int = PROGRESS_PORT) -> None:
        self._timing = timing
        self._port = port
        # No limit for all workers together: those that do not answer would keep the others waiting.
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, force_close=True, socket_factory=_sipping),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            headers=_AS_IT_IS,
        )

    async def aclose(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def progress(self, host: str) -> ProgressReport | None:
        """How far worker 0 says that it is; None when it says nothing that can be understood."""
        body = await self._ask("GET", host, "/progress", seconds=self._timing.progress_timeout_seconds)
        return None if body is None else bounds.read(ProgressReport, body)

    async def write_stacks(self, hosts: Iterable[str]) -> None:
        """Ask workers to write down where their ranks are; one that does not answer is passed over."""
        seconds = self._timing.stacks_timeout_seconds
        await asyncio.gather(*(self._ask("POST", host, STACKS_PATH, seconds=seconds) for host in hosts))

    async def _ask(self, verb: str, host: str, path: str, *, seconds: float) -> bytes | None:
        """The body of an answer, or None."""
        address = f"[{host}]" if ":" in host else host
        timeout = aiohttp.ClientTimeout(total=seconds, connect=self._timing.worker_connect_timeout_seconds)
        try:
            async with self._session.request(
                verb, f"http://{address}:{self._port}{path}", timeout=timeout, allow_redirects=False
            ) as answer:
                return await _read(answer.content) if answer.status == 200 else None
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as silent:
            log.debug("no answer to %s %s from %s: %r", verb, path, host, silent)
            return None


def _sipping(address: aiohttp.AddrInfoType) -> socket.socket:
    """A socket with a small buffer: what lies in it is parsed in one go, in which nobody else is looked after."""
    family, kind, protocol, *_ = address
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
    return made


async def _read(content: aiohttp.StreamReader) -> bytes | None:
    """All of a body; None for one that is too long."""
    body = bytearray()
    async for chunk in content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > bounds.REPORT_BYTES:
            return None
    return bytes(body)
