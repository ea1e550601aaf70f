"""A small HTTP server in threads, for as long as a context lasts."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def listening(handler: type[BaseHTTPRequestHandler], *, port: int) -> Iterator[int]:
    """Answer on all interfaces with this handler; yields the port, which the kernel chooses for port 0.

    Raises OSError when the port is taken.
    """
    server = ThreadingHTTPServer(("", port), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
