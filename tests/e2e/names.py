"""Asking for names from inside a pod, at servers of our choice, and a server of names that is not the cluster's."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

from cluster import network
from cluster.layout import DOMAIN, Layout
from cluster.processes import Process
from tests.e2e.conftest import Playground

A_NAME = f"kubernetes.default.svc.{DOMAIN}"
ANYTHING = {4: "192.0.2.1", 6: "2001:db8::1"}
"""What the other server says of every name."""

_ASK = """
import ipaddress, json, socket, struct, sys
server, name, kind = sys.argv[1], sys.argv[2], int(sys.argv[3])
parts = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
asked = struct.pack(">HHHHHH", 1, 0x0100, 1, 0, 0, 0) + parts + bytes(1) + struct.pack(">HH", kind, 1)
size, family = (4, socket.AF_INET) if kind == 1 else (16, socket.AF_INET6)
answers = {}
def told(answer):
    return str(ipaddress.ip_address(answer[-size:]))
with socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM) as asking:
    asking.settimeout(2)
    try:
        asking.connect((server, 53))
        asking.send(asked)
        answers["udp"] = told(asking.recv(512))
    except OSError:
        pass
try:
    with socket.create_connection((server, 53), 2) as asking:
        asking.sendall(struct.pack(">H", len(asked)) + asked)
        answers["tcp"] = told(asking.recv(514))
except OSError:
    pass
print(json.dumps(answers))
"""

_SERVE = """
import ipaddress, socketserver, struct, sys, threading
address, said = sys.argv[1], ipaddress.ip_address(sys.argv[2]).packed
class Udp(socketserver.UDPServer):
    address_family = 10 if ":" in address else 2
class Tcp(socketserver.ThreadingTCPServer):
    address_family = Udp.address_family
    daemon_threads = True
class Datagram(socketserver.BaseRequestHandler):
    def handle(self):
        self.request[1].sendto(self.request[0] + said, self.client_address)
class Stream(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall(self.request.recv(514) + said)
threading.Thread(target=Udp((address, 53), Datagram).serve_forever, daemon=True).start()
Tcp((address, 53), Stream).serve_forever()
"""


def asks(playground: Playground, pod: str, server: str) -> dict[str, str]:
    """The address of `A_NAME` that a server names to a pod, by protocol, udp and tcp; one without an answer is missing."""
    kind = 1 if _version(playground) == 4 else 28
    answers: dict[str, str] = json.loads(
        playground.kubectl.run("exec", pod, "--", "python3", "-c", _ASK, server, A_NAME, str(kind))
    )
    return answers


def _version(playground: Playground) -> int:
    """Of the cluster's first addresses."""
    found = playground.kubectl.within("default").get("service", "kubernetes")
    assert found is not None
    return ip_address(found["spec"]["clusterIP"]).version


@contextmanager
def another_name_server(where: Layout, *, address: str, folder: Path) -> Iterator[None]:
    """A process of the node that names one address for every name, on port 53 of an address of the node."""
    process = Process(name="other-names", folder=folder, logs=folder)
    said = ANYTHING[ip_address(address).version]
    process.start(network.inside(where, [sys.executable, "-I", "-S", "-c", _SERVE, address, said]))
    try:
        yield
    finally:
        process.stop()
