"""Worker 0's key-value store: Horovod's ranks find each other in it, and the agents learn how the others are.

The protocol is that of Horovod's own rendezvous server (`horovod/runner/http/http_server.py`): `PUT`, `GET` and `DELETE`
of `/<scope>/<key>` with raw bodies, 404 for a missing key. A new store is made for every attempt, because the keys of a
half-finished rendezvous point to addresses that are gone.

The agents add one scope of their own, `AGENTS`: each worker writes its state under its index.
"""

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import ClassVar, Literal, Protocol

from trainingrun_trainer.agent.http import listening

AGENTS = "agents"
State = Literal["here", "done", "stopped", "failed"]
"""`stopped`: its ranks have been told to stop, and have."""

WAITING = "/waiting"
"""Where signs of life are left by whoever waits for storage."""

BOARD_VARIABLE = "TRAININGRUN_BOARD"
"""In a rank: `host:port` of the store."""

CONNECT_TIMEOUT = 0.2
RETRY_INTERVAL = 0.1


class Store:
    """Values by path, shared by the server's threads."""

    def __init__(self) -> None:
        self._values: dict[str, bytes] = {}
        self._lock = threading.Lock()
        self.sign: datetime | None = None
        """When somebody who waits has last given a sign of life, by the clock of this machine."""

    def put(self, path: str, value: bytes) -> bool:
        """Set a value."""
        with self._lock:
            self._values[path] = value
            if path == WAITING:
                self.sign = datetime.now(UTC)
        return True

    def get(self, path: str) -> bytes | None:
        """A value, or None; the path of the agents' scope alone gives all their states as JSON."""
        with self._lock:
            if path == f"/{AGENTS}":
                return json.dumps(self._states()).encode()
            return self._values.get(path)

    def delete(self, path: str) -> bool:
        """Forget a value."""
        with self._lock:
            self._values.pop(path, None)
        return True

    def states(self) -> dict[int, State]:
        """State of every agent that has checked in."""
        with self._lock:
            return {int(worker): state for worker, state in self._states().items()}

    def _states(self) -> dict[str, State]:
        prefix = f"/{AGENTS}/"
        return {
            path.removeprefix(prefix): value.decode()  # type: ignore[misc]  # only agents write here, only states
            for path, value in self._values.items()
            if path.startswith(prefix)
        }


class Values(Protocol):
    """What can be served: a store, or the board of one that another worker serves."""

    def put(self, path: str, value: bytes) -> bool:
        """Set a value; returns whether it is set."""

    def get(self, path: str) -> bytes | None:
        """A value, or None."""

    def delete(self, path: str) -> bool:
        """Forget a value; returns whether it is forgotten."""


class _Handler(BaseHTTPRequestHandler):
    store: ClassVar[Values]

    def do_PUT(self) -> None:  # the name that http.server calls
        """Set a value."""
        length = int(self.headers.get("Content-Length", "0"))
        self._reply(200 if self.store.put(self.path, self.rfile.read(length)) else 503, b"")

    def do_GET(self) -> None:  # the name that http.server calls
        """Return a value."""
        value = self.store.get(self.path)
        self._reply(404 if value is None else 200, value or b"")

    def do_DELETE(self) -> None:  # the name that http.server calls
        """Forget a value."""
        self._reply(200 if self.store.delete(self.path) else 503, b"")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: every rank polls every 10 ms."""

    def _reply(self, code: int, body: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serve(store: Values, *, port: int) -> Iterator[int]:
    """Serve the store on all interfaces while the context lasts; yields the port, which the kernel chooses for port 0."""
    with listening(type("Handler", (_Handler,), {"store": store}), port=port) as chosen:
        yield chosen


class Board:
    """What an agent knows of the other agents, wherever the store is."""

    def __init__(self, *, worker: int, host: str, port: int) -> None:
        self._worker = worker
        self.host = host
        self.port = port

    def write(self, state: State) -> bool:
        """Publish the own state; returns whether worker 0 answered."""
        return self._request("PUT", f"/{AGENTS}/{self._worker}", state.encode()) is not None

    def read(self) -> Mapping[int, State] | None:
        """States of all agents, or None when worker 0 does not answer."""
        body = self._request("GET", f"/{AGENTS}")
        return None if body is None else {int(worker): state for worker, state in json.loads(body).items()}

    def put(self, path: str, value: bytes) -> bool:
        """Set a value of the store; returns whether worker 0 answered."""
        return self._request("PUT", path, value) is not None

    def get(self, path: str) -> bytes | None:
        """A value of the store, which is never empty; None when there is none, or worker 0 does not answer."""
        return self._request("GET", path) or None

    def delete(self, path: str) -> bool:
        """Forget a value of the store; returns whether worker 0 answered."""
        return self._request("DELETE", path) is not None

    def wait_for_all(self, replicas: int, *, timeout: float) -> list[int]:
        """Wait until all workers have checked in; returns those that have not after `timeout` seconds.

        The address may be refused, unreachable or silent until the cluster's network knows it, so all three are tried
        again every 100 ms, faster than the kernel retries a lost packet.
        """
        deadline = time.monotonic() + timeout
        known: Mapping[int, State] = {}
        while len(known) < replicas and time.monotonic() < deadline:
            known = self.read() or known
            if len(known) < replicas:
                time.sleep(RETRY_INTERVAL)
        return [worker for worker in range(replicas) if worker not in known]

    def _request(self, verb: str, path: str, body: bytes | None = None) -> bytes | None:
        return _request(self.host, self.port, verb, path, body)


def board_address(environment: Mapping[str, str]) -> tuple[str, int]:
    """Where a rank finds the store."""
    return split_address(environment[BOARD_VARIABLE])


def split_address(address: str) -> tuple[str, int]:
    """Host and port of `host:port`, or `[host]:port` with an address of IPv6."""
    host, _, port = address.rpartition(":")
    return host.removeprefix("[").removesuffix("]"), int(port)


def join_address(host: str, port: int) -> str:
    """What `split_address` takes apart."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def own_address(coordinator: str | None) -> str:
    """The address that this pod is reached at by those that reach the coordinator (host:port); loopback without one."""
    if coordinator is None:
        return "127.0.0.1"
    host, port = split_address(coordinator)
    ((family, kind, _, _, target), *_) = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    with socket.socket(family, kind) as unsent:
        unsent.connect(target)  # chooses the way, and sends nothing
        return str(unsent.getsockname()[0])


def publish(path: str, value: bytes, *, port: int) -> None:
    """Set a value in the store of this very worker. Raises ConnectionError when its agent does not answer."""
    if _request("127.0.0.1", port, "PUT", path, value) is None:
        raise ConnectionError(f"the agent does not answer on port {port}")


def _request(host: str, port: int, verb: str, path: str, body: bytes | None = None) -> bytes | None:
    """The answer, or None when there is none."""
    connection = http.client.HTTPConnection(host, port, timeout=CONNECT_TIMEOUT)
    try:
        connection.connect()
        assert isinstance(connection.sock, socket.socket)
        connection.sock.settimeout(5)
        connection.request(verb, path, body=body)
        return connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
