"""What the agent answers over HTTP: is it alive, are its ranks ready, how far is the training, where do its ranks wait."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import ClassVar

from trainingrun.api.base import to_wire
from trainingrun.contract import STACKS_PATH, ProgressReport
from trainingrun_trainer.agent.http import listening


class _Handler(BaseHTTPRequestHandler):
    is_ready: ClassVar[Callable[[], bool]]
    progress: ClassVar[Callable[[], ProgressReport | None]]
    stacks: ClassVar[Callable[[], Mapping[str, object]]]

    def do_GET(self) -> None:  # the name that http.server calls
        """Answer one question."""
        match self.path:
            case "/healthz":
                self._reply(200, {"alive": True})
            case "/readyz":
                ready = type(self).is_ready()
                self._reply(200 if ready else 503, {"ready": ready})
            case "/progress":
                report = type(self).progress()
                self._reply(404, {}) if report is None else self._reply(200, to_wire(report))
            case _:
                self._reply(404, {"paths": ["/healthz", "/readyz", "/progress"]})

    def do_POST(self) -> None:  # the name that http.server calls
        """Do the one thing that can be asked for."""
        if self.path == STACKS_PATH:
            self._reply(200, type(self).stacks())
        else:
            self._reply(404, {"paths": [STACKS_PATH]})

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the kubelet asks every second."""

    def _reply(self, code: int, body: Mapping[str, object]) -> None:
        encoded = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(encoded)))
        self.end_headers()
        self.wfile.write(encoded)


@contextmanager
def serve(
    *,
    port: int,
    is_ready: Callable[[], bool],
    progress: Callable[[], ProgressReport | None],
    stacks: Callable[[], Mapping[str, object]],
) -> Iterator[None]:
    """Answer on all interfaces while the context lasts; `progress` returns None on workers other than 0."""
    answers = {"is_ready": staticmethod(is_ready), "progress": staticmethod(progress), "stacks": staticmethod(stacks)}
    with listening(type("Handler", (_Handler,), answers), port=port):
        yield
