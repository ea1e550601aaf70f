"""Headless Chromium, spoken to over its DevTools protocol: https://chromedevtools.github.io/devtools-protocol/.

The protocol needs no more than a web socket, which is there already; a driver with a browser of its own weighs 165 MB.
"""

import base64
import os
import re
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from cluster.packages import ensure
from tests.patience import patience

_ADDRESS = re.compile(r"DevTools listening on (ws://\S+)")


@contextmanager
def chromium() -> Iterator[str]:
    """A browser, installed when it is missing; gives the address of its DevTools."""
    ensure({"chromium": "/usr/bin/chromium"}, needed_by="The tests of pages")
    with tempfile.TemporaryDirectory(prefix="trainingrun-chromium-", ignore_cleanup_errors=True) as profile:
        command = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
        command += ["--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"]
        environment = {**os.environ, "TMPDIR": profile}  # where it leaves a folder each time
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
            try:
                yield _address(process)
            finally:
                process.terminate()


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None, "it is a pipe"
    seen = []
    for line in process.stderr:
        if found := _ADDRESS.search(line):
            return found[1]
        seen.append(line)
    raise RuntimeError(f"Chromium ended before it could be spoken to: {''.join(seen)}")


@dataclass
class Tab:
    """A page that is open, and what it has said and asked for so far."""

    _socket: aiohttp.ClientWebSocketResponse
    _session: str = ""
    _number: int = 0
    complaints: list[str] = field(default_factory=list)
    """Errors and warnings of the console, and exceptions."""
    requests: list[str] = field(default_factory=list)
    """Addresses of everything that was asked for, but data: URIs."""
    _loaded: bool = False

    async def open(self, page: Path, *, width: int, is_dark: bool = False) -> None:
        """Load a file in a window of so many pixels."""
        metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
        await self.call("Emulation.setDeviceMetricsOverride", **metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}
        await self.call("Emulation.setEmulatedMedia", features=[scheme])
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.call(f"{domain}.enable")
        await self.call("Page.navigate", url=page.as_uri())
        while not self._loaded:
            self._notice(await self._socket.receive_json(timeout=patience(30)))

    async def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page."""
        answer = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    async def screenshot(self) -> bytes:
        """The whole page as a PNG."""
        answer = await self.call("Page.captureScreenshot", captureBeyondViewport=True)
        return base64.b64decode(answer["data"])

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol and wait for its answer; events that come before are noticed."""
        self._number += 1
        session = {"sessionId": self._session} if self._session else {}
        await self._socket.send_json({"id": self._number, "method": method, "params": parameters, **session})
        while True:
            message = await self._socket.receive_json(timeout=patience(30))
            if message.get("id") == self._number:
                assert "error" not in message, f"{method}: {message['error']}"
                answer: dict[str, Any] = message["result"]
                return answer
            self._notice(message)

    def _notice(self, message: dict[str, Any]) -> None:
        event = message.get("params", {})
        match message.get("method"):
            case "Page.loadEventFired":
                self._loaded = True
            case "Network.requestWillBeSent" if not event["request"]["url"].startswith("data:"):
                self.requests.append(event["request"]["url"])
            case "Runtime.exceptionThrown":
                self.complaints.append(str(event["exceptionDetails"]))
            case "Runtime.consoleAPICalled":
                self.complaints.append(str(event["args"]))
            case "Log.entryAdded":
                self.complaints.append(f"{event['entry']['level']}: {event['entry']['text']}")


@asynccontextmanager
async def new_tab(address: str) -> AsyncIterator[Tab]:
    """A page of its own in this browser, closed afterwards."""
    async with aiohttp.ClientSession() as session, session.ws_connect(address, max_msg_size=0) as socket:
        tab = Tab(socket)
        target = await tab.call("Target.createTarget", url="about:blank")
        attached = await tab.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        tab._session = attached["sessionId"]
        yield tab
        tab._session = ""
        await tab.call("Target.closeTarget", targetId=target["targetId"])
