"""The process of the study, a child of worker 0's agent: `python -m trainingrun_trainer.tuning.serve`.

It is a process of its own so that the agent stays light: Optuna takes about half a second to import, and 45 MB.

It listens on a port that the kernel chooses and says which in worker 0's store, where the ranks look for it. It is not on the
agent's progress port, because that is open to the operator and to the kubelet's node: a study can be changed by whoever reaches
it, and the attempt's NetworkPolicy lets only its own workers reach other ports.

Its standard input belongs to the agent: a byte means that the pod has been told to stop, and its end that the agent has gone.
"""

import json
import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any, ClassVar

from pydantic import BaseModel

from trainingrun.api.base import to_wire
from trainingrun.contract import Cause, ExitCode
from trainingrun_trainer.agent.http import listening
from trainingrun_trainer.agent.rendezvous import Board, own_address, publish
from trainingrun_trainer.agent.signs import Signs
from trainingrun_trainer.errors import TrainerError
from trainingrun_trainer.patience import Patience
from trainingrun_trainer.settings import OutputPaths, Settings
from trainingrun_trainer.tuning.address import PATH, Address, Refusal
from trainingrun_trainer.tuning.client import ANSWER_SECONDS

_PATIENCE_SHARE = 0.8
"""The ranks do not wait for ever for an answer that waits for the output."""
STOP, GONE = "stop", "gone"


def main() -> int:
    """Serve the study until the agent has gone or the ranks have left."""
    settings = Settings.from_environment()
    words: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen_to_agent, args=(words,), daemon=True).start()
    try:
        return _serve(settings, words)
    except Exception as problem:  # the ranks, which wait for the address, are told instead
        traceback.print_exc()
        _publish(Address(refusal=refusal_of(problem)), settings=settings)
        return ExitCode.INTERNAL


def _serve(settings: Settings, words: "queue.SimpleQueue[str]") -> int:
    from trainingrun_trainer.tuning.clerk import Clerk
    from trainingrun_trainer.tuning.journal import Journal

    config = settings.load_config()
    signs = Signs(Board(worker=0, host="127.0.0.1", port=settings.rendezvous_port))
    patience = Patience(min(settings.storage_patience, _PATIENCE_SHARE * ANSWER_SECONDS), alive=signs)
    clerk = Clerk(config, Journal(OutputPaths.of(config, settings=settings, patience=patience)))
    handler = type("Handler", (_Handler,), {"clerk": clerk, "leave": staticmethod(lambda: words.put(GONE))})
    with listening(handler, port=0) as port:
        _publish(Address(host=own_address(settings.coordinator), port=port), settings=settings)
        while words.get() == STOP:
            clerk.close()
    return ExitCode.SUCCEEDED


def _listen_to_agent(words: "queue.SimpleQueue[str]") -> None:
    while os.read(sys.stdin.fileno(), 1):
        words.put(STOP)
    words.put(GONE)


def _publish(address: Address, *, settings: Settings) -> None:
    publish(PATH, json.dumps(to_wire(address)).encode(), port=settings.rendezvous_port)


class _Handler(BaseHTTPRequestHandler):
    clerk: ClassVar[Any]
    leave: ClassVar[Callable[[], None]]

    def do_POST(self) -> None:  # the name that http.server calls
        """Ask the clerk."""
        said = json.loads(self.rfile.read(int(self.headers.get("Content-Length", "0"))) or b"{}")
        name = self.path.removeprefix("/")
        if name not in ("ask", "report", "tell", "alive", "outcome", "leave"):
            self._reply(404, {"paths": ["/ask", "/report", "/tell", "/alive", "/outcome", "/leave"]})
            return
        try:
            answer = getattr(self.clerk, name)(**said)
        except Exception as problem:  # the rank that has asked ends with it
            if not isinstance(problem, TrainerError):
                traceback.print_exc()
            self._reply(500, to_wire(refusal_of(problem)))
            return
        self._reply(200, to_wire(answer) if isinstance(answer, BaseModel) else answer)
        if name == "leave":
            type(self).leave()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: ranks that wait ask twice a second."""

    def _reply(self, code: int, body: object) -> None:
        encoded = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(encoded)))
        self.end_headers()
        self.wfile.write(encoded)


def refusal_of(problem: Exception) -> Refusal:
    """A failure as the ranks are told it."""
    if isinstance(problem, TrainerError):
        return Refusal(cause=problem.cause, exit_code=problem.exit_code, message=str(problem), hint=problem.hint)
    return Refusal(
        cause=Cause.INTERNAL, exit_code=ExitCode.INTERNAL, message=f"The study of spec.tuning failed: {problem!r}.", hint=""
    )


if __name__ == "__main__":
    sys.exit(main())
