"""A small HTTP server in threads, for as long as a context lasts."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    address_family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET

    def server_bind(self) -> None:
        """A socket of IPv6 answers IPv4, too, whatever the kernel's default is."""
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


@contextmanager
def listening(handler: type[BaseHTTPRequestHandler], *, port: int) -> Iterator[int]:
    """Answer on all addresses, IPv4 and IPv6, with this handler; yields the port, which the kernel chooses for port 0.

    Raises OSError when the port is taken.
    """
    server = _Server(("", port), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
