"""Addresses of IPv4 and IPv6: who is asked on either answers, and hosts and ports are told apart."""

import socket
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler

import pytest

from trainingrun_trainer.agent import rendezvous
from trainingrun_trainer.agent.http import listening
from trainingrun_trainer.agent.rendezvous import Board, Store, join_address, split_address

HOSTS = ["127.0.0.1", pytest.param("::1", marks=pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 here"))]


class Answering(BaseHTTPRequestHandler):
    """Says who asks."""

    def do_GET(self) -> None:  # the name that http.server calls
        """Answer."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.client_address[0].encode())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize("host", HOSTS)
def test_a_worker_answers_on_every_address(host: str) -> None:
    with listening(Answering, port=0) as port, urllib.request.urlopen(f"http://{join_address(host, port)}/") as reply:
        assert reply.read().decode().endswith(host)


@pytest.mark.parametrize(
    ("host", "address"), [("10.96.0.9", "10.96.0.9:29500"), ("fd00:10:96::9", "[fd00:10:96::9]:29500"), ("w-0", "w-0:29500")]
)
def test_an_address_is_put_together_and_taken_apart(host: str, address: str) -> None:
    assert join_address(host, 29500) == address
    assert split_address(address) == (host, 29500)


@pytest.mark.parametrize("host", HOSTS)
def test_the_store_of_another_worker_is_served_as_ones_own_would_be(host: str) -> None:
    store = Store()
    with rendezvous.serve(store, port=0) as port:
        far = Board(worker=1, host=host, port=port)
        with rendezvous.serve(far, port=0) as near:
            board = Board(worker=1, host="127.0.0.1", port=near)
            assert board.put("/global/0", b"a")
            assert store.get("/global/0") == b"a"
            assert board.get("/global/0") == b"a"
            assert board.get("/global/1") is None
            assert board.delete("/global/0")
            assert store.get("/global/0") is None


def test_a_store_that_does_not_answer_is_no_value_and_nothing_that_is_set() -> None:
    with rendezvous.serve(Store(), port=0) as port:
        pass
    with rendezvous.serve(Board(worker=1, host="127.0.0.1", port=port), port=0) as near:
        address = f"http://127.0.0.1:{near}/global/0"
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(address)
        with pytest.raises(urllib.error.HTTPError, match="503"):
            urllib.request.urlopen(urllib.request.Request(address, data=b"a", method="PUT"))
