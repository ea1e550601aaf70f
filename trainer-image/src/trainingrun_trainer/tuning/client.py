"""The desk as ranks reach it, over HTTP."""

import http.client
import json
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

from trainingrun.contract import Cause, ExitCode
from trainingrun_trainer.agent.rendezvous import board_address
from trainingrun_trainer.errors import TrainerError
from trainingrun_trainer.tuning.address import PATH, Address, Refusal
from trainingrun_trainer.tuning.desk import Outcome, Turn
from trainingrun_trainer.tuning.events import Kind

START_SECONDS = 120.0
"""For the study to be there: it imports Optuna and reads the journal while the ranks import TensorFlow."""
PATIENCE_SECONDS = 10.0
"""For worker 0 to be reached again; the agents take a worker that is silent for as long for lost."""
ANSWER_SECONDS = 600.0
"""For an answer, which waits until the output has taken a line: longer than the study has patience with it."""
PAUSE_SECONDS = 0.1


class Client:
    """See `Desk`."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port

    @classmethod
    def find(cls, environment: Mapping[str, str] = os.environ, *, seconds: float = START_SECONDS) -> "Client":
        """Find the study in worker 0's store, where this rank has met the others.

        Raises TrainerError: PeerLost when it is not there in time, or what has kept it from starting.
        """
        host, port = board_address(environment)
        deadline = time.monotonic() + seconds
        while True:
            try:
                status, body = _request(host, port, "GET", PATH)
            except (OSError, http.client.HTTPException):
                status, body = 0, b""
            if status == 200:
                break
            if time.monotonic() > deadline:
                raise _lost(f"The study of spec.tuning has not started on worker 0 within {seconds:.0f} s.")
            time.sleep(PAUSE_SECONDS)
        address = Address.model_validate_json(body)
        if address.refusal is not None:
            raise address.refusal.error
        assert address.port is not None, "port or refusal is set"
        return cls(address.host, address.port)

    def ask(self, *, rank: int) -> Turn:
        """See `Desk`."""
        return Turn.model_validate(self._call("ask", rank=rank))

    def report(self, *, trial: int, epoch: int, value: float) -> bool:
        """See `Desk`."""
        return bool(self._call("report", trial=trial, epoch=epoch, value=value))

    def tell(self, *, trial: int, kind: Kind, cause: str = "", message: str = "") -> None:
        """See `Desk`."""
        self._call("tell", trial=trial, kind=kind, cause=cause, message=message)

    def alive(self) -> None:
        """See `Desk`."""
        self._call("alive")

    def outcome(self) -> Outcome:
        """See `Desk`."""
        return Outcome.model_validate(self._call("outcome"))

    def leave(self) -> None:
        """See `Desk`."""
        self._call("leave")

    def _call(self, name: str, **said: Any) -> Any:
        """Ask until there is an answer: all that can be asked may be asked twice."""
        status, body = _until_answered(
            lambda: _request(self._host, self._port, "POST", f"/{name}", json.dumps(said).encode()), at=self._host
        )
        if status != 200:
            raise Refusal.model_validate_json(body).error
        return json.loads(body)


def _until_answered(request: Callable[[], tuple[int, bytes]], *, at: str) -> tuple[int, bytes]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return request()
        except (OSError, http.client.HTTPException) as silent:
            if time.monotonic() > deadline:
                raise _lost(f"The study of spec.tuning, on worker 0 at {at}, does not answer: {silent!r}.") from silent
            time.sleep(PAUSE_SECONDS)


def _request(host: str, port: int, verb: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(host, port, timeout=PATIENCE_SECONDS)
    try:
        connection.connect()
        connection.sock.settimeout(ANSWER_SECONDS)
        connection.request(verb, path, body=body)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def _lost(message: str) -> TrainerError:
    return TrainerError(message, cause=Cause.PEER_LOST, exit_code=ExitCode.PEER_LOST)
