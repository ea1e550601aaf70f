"""A way to a server that stumbles: some requests are answered with an error, or not at all, and for a while nobody is there."""

import itertools
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

CHUNK = 65536
_SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
_AT_ONCE = struct.pack("ii", 1, 0)
"""For SO_LINGER: the connection is reset, and not closed in peace."""


def status(code: int, body: bytes = _SLOW_DOWN) -> bytes:
    """An answer with an error."""
    return b"HTTP/1.1 %d Error\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (code, len(body), body)


RESET = b""
"""The answer of a connection that is reset."""


class StumblingProxy:
    """Passes on what comes, one request for each connection; every `every`-th one is answered with the next of `answers`."""

    def __init__(
        self, target: str, *, every: int, answers: Sequence[bytes], matching: bytes = b"", host: str = "127.0.0.1"
    ) -> None:
        """`matching` is a regular expression: only requests whose head has it count."""
        name, _, port = target.rpartition(":")
        self._target = (name, int(port))
        self._every, self._answers, self._matching = every, itertools.cycle(answers), re.compile(matching)
        self._lock = threading.Lock()
        self._away_until = 0.0
        self.requests = 0
        """That matched."""
        self.stumbled = 0
        self.refused = 0
        """While it was away."""
        self.on_request: Callable[[int], None] = lambda number: None
        """Called with the number of each request that matches, counted from 1."""
        self._listener = socket.create_server((host, 0))
        self.address = f"{host}:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def go_away(self, seconds: float) -> None:
        """Reset all connections from now on, for so long."""
        self._away_until = time.monotonic() + seconds

    def close(self) -> None:
        """Listen no more."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            head = _head(client)
            answer = self._answer(head)
            if answer is None:
                self._pass_on(client, head)
            elif answer is RESET:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            else:
                client.sendall(answer)

    def _answer(self, head: bytes) -> bytes | None:
        """None for a request that is passed on."""
        with self._lock:
            if not self._matching.search(head):
                return None
            self.requests += 1
            self.on_request(self.requests)
            if time.monotonic() < self._away_until:
                self.refused += 1
                return RESET
            if self.requests % self._every:
                return None
            self.stumbled += 1
            return next(self._answers)

    def _pass_on(self, client: socket.socket, head: bytes) -> None:
        with socket.create_connection(self._target) as server:
            first, _, rest = head.partition(b"\r\n")
            server.sendall(first + b"\r\nConnection: close\r\n" + re.sub(rb"(?im)^connection:.*\r\n", b"", rest))
            threading.Thread(target=_copy, args=(client, server), daemon=True).start()
            _copy(server, client)


def _head(client: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        data = client.recv(CHUNK)
        if not data:
            raise ConnectionError
        head += data
    return head


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(CHUNK):
            sink.sendall(data)


@contextmanager
def stumbling_proxy(
    target: str, *, every: int, answers: Sequence[bytes] = (status(503), RESET), matching: bytes = b""
) -> Iterator[StumblingProxy]:
    """A way to `target` (host:port)."""
    proxy = StumblingProxy(target, every=every, answers=answers, matching=matching)
    try:
        yield proxy
    finally:
        proxy.close()
