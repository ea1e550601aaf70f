"""The ranks of a played gang step together over connections, as Horovod's do.

So one that stands still stops all of them, and one that is gone ends all of them. Rank 0 listens, and says where through the
store of worker 0.
"""

import socket
import time
from typing import Protocol

from trainingrun_trainer.agent.rendezvous import Board

_PATH = "/played/gang"
_RETRY_SECONDS = 0.02


class PeerLostError(Exception):
    """Another rank has gone."""


class Gang(Protocol):
    """The ranks of an attempt, as one of them sees them. All must call the same, in the same order."""

    rank: int
    size: int

    def agree(self, said: bool) -> bool:
        """Whether any rank says so. Raises PeerLostError."""

    def broadcast(self, data: bytes) -> bytes:
        """What rank 0 passed, on all ranks. Raises PeerLostError."""


class Alone:
    """A gang of one: see `Gang`."""

    rank = 0
    size = 1

    def agree(self, said: bool) -> bool:
        """See `Gang`."""
        return said

    def broadcast(self, data: bytes) -> bytes:
        """See `Gang`."""
        return data


class Together:
    """Several ranks: see `Gang`. Making one waits until all have come."""

    def __init__(self, board: Board, *, rank: int, size: int, address: str) -> None:
        self.rank = rank
        self.size = size
        self._others = _listen(board, others=size - 1, address=address) if rank == 0 else [_connect(board)]

    def agree(self, said: bool) -> bool:
        """See `Gang`."""
        own = b"y" if said else b"n"
        if self.rank == 0:
            heard = [_receive(other, 1) for other in self._others]
            return self.broadcast(max(own, *heard)) == b"y"
        _send(self._others[0], own)
        return self.broadcast(b"") == b"y"

    def broadcast(self, data: bytes) -> bytes:
        """See `Gang`: first the length, then the bytes."""
        if self.rank == 0:
            for other in self._others:
                _send(other, len(data).to_bytes(4) + data)
            return data
        return _receive(self._others[0], int.from_bytes(_receive(self._others[0], 4)))


def _listen(board: Board, *, others: int, address: str) -> list[socket.socket]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, 0), family=family, backlog=others) as server:
        while not board.put(_PATH, f"{address}:{server.getsockname()[1]}".encode()):
            time.sleep(_RETRY_SECONDS)
        return [server.accept()[0] for _ in range(others)]


def _connect(board: Board) -> socket.socket:
    while (found := board.get(_PATH)) is None:
        time.sleep(_RETRY_SECONDS)
    host, _, port = found.decode().rpartition(":")
    return socket.create_connection((host, int(port)))


def _send(connection: socket.socket, data: bytes) -> None:
    try:
        connection.sendall(data)
    except OSError as lost:
        raise PeerLostError from lost


def _receive(connection: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size:
        try:
            more = connection.recv(size - len(received))
        except OSError as lost:
            raise PeerLostError from lost
        if not more:
            raise PeerLostError
        received += more
    return received
