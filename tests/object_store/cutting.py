"""A way to a server that breaks: it passes on so many bytes of answers, cuts every connection, and refuses new ones.

`python -m tests.object_store.cutting TARGET LIMIT HOST` prints its address, and ends when it has cut.
"""

import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

CHUNK = 4096


class CuttingProxy:
    """Passes on what comes, until `limit` bytes have been answered."""

    def __init__(self, target: str, *, limit: int, host: str) -> None:
        name, _, port = target.rpartition(":")
        self._target = (name, int(port))
        self._left = limit
        self._listener = socket.create_server((host, 0))
        self._sockets: list[socket.socket] = [self._listener]
        self.address = f"{host}:{self._listener.getsockname()[1]}"
        self.is_cut = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """End all connections, and accept no more."""
        self.is_cut.set()
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        while not self.is_cut.is_set():
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
            except OSError:
                return
            self._sockets += [client, server]
            threading.Thread(target=self._copy, args=(client, server), daemon=True).start()
            threading.Thread(target=self._answer, args=(server, client), daemon=True).start()

    def _copy(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK):
                sink.sendall(data)

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(CHUNK):
                client.sendall(data[: max(0, self._left)])
                self._left -= len(data)
                if self._left <= 0:
                    self.cut()
                    return


@contextmanager
def cutting_proxy(target: str, *, limit: int, host: str = "127.0.0.1") -> Iterator[CuttingProxy]:
    """A way to `target` (host:port) that breaks after so many bytes of answers; it listens on an address of this machine."""
    proxy = CuttingProxy(target, limit=limit, host=host)
    try:
        yield proxy
    finally:
        proxy.cut()


def main(target: str, limit: int, host: str) -> None:
    """Serve until the limit."""
    with cutting_proxy(target, limit=limit, host=host) as proxy:
        print(proxy.address, flush=True)
        proxy.is_cut.wait()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
