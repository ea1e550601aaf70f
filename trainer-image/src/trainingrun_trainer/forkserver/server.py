"""The loop of a fork server: takes orders, forks, and tells each client how its process has ended."""

import json
import os
import selectors
import signal
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from trainingrun_trainer.forkserver.order import MESSAGE_BYTES, MOST_DESCRIPTORS, Order, decode, misfit

STANDARD_STREAMS = 3


@dataclass(frozen=True)
class Birth:
    """What a forked process finds: all signals are blocked until it has become what its order says."""

    order: Order
    descriptors: tuple[int, ...]
    client: socket.socket
    server: int
    """Pid of the server, as whose child it was born."""


@dataclass
class _Child:
    pid: int
    descriptor: int
    client: socket.socket | None
    has_ended: bool = False


class Server:
    """Forks for everybody who may connect to its socket.

    A process that has ended stays a zombie until its client hangs up: till then its pid means no other process.
    """

    def __init__(self, listening: socket.socket, *, owner: int, environment: Mapping[str, str]) -> None:
        """`owner` is a descriptor that ends when the server is to end; the environment is what it was started with."""
        self._listening = listening
        self._owner = owner
        self._environment = environment
        self._strangers: set[socket.socket] = set()
        self._children: dict[int, _Child] = {}
        # Not epoll: a child would share it.
        self._selector = selectors.PollSelector()
        self._selector.register(owner, selectors.EVENT_READ)
        self._selector.register(listening, selectors.EVENT_READ)

    def serve(self) -> Birth | None:
        """Take orders until the owner has gone, and return None then; returns in every forked process, too."""
        while True:
            # One at a time, because it may take away what others are about.
            key, _ = self._selector.select()[0]
            if key.fileobj == self._owner:
                if not os.read(self._owner, 1):
                    return None
            elif key.fileobj is self._listening:
                self._welcome()
            elif isinstance(key.data, _Child):
                self._look_after(key.data, is_over=key.fileobj == key.data.descriptor)
            else:
                assert isinstance(key.fileobj, socket.socket)
                birth = self._take_order(key.fileobj)
                if birth is not None:
                    return birth

    def _welcome(self) -> None:
        client, _ = self._listening.accept()
        self._strangers.add(client)
        self._selector.register(client, selectors.EVENT_READ)

    def _take_order(self, client: socket.socket) -> Birth | None:
        """Fork, or say why not; returns in the forked process what it finds."""
        self._selector.unregister(client)
        self._strangers.remove(client)
        descriptors: list[int] = []
        try:
            message, descriptors, _, _ = socket.recv_fds(client, MESSAGE_BYTES, MOST_DESCRIPTORS)
            order = self._acceptable(message, count=len(descriptors))
            birth = self._fork(Birth(order, tuple(descriptors), client, server=os.getpid()))
        except (ValueError, OSError) as refusal:
            _tell(client, refused=str(refusal))
            client.close()
            birth = None
        if birth is None:
            for descriptor in descriptors:
                os.close(descriptor)
        return birth

    def _acceptable(self, message: bytes, *, count: int) -> Order:
        order = decode(message)
        if count != STANDARD_STREAMS + len(order.variables):
            raise ValueError(f"The order has {count} descriptors where it names {STANDARD_STREAMS + len(order.variables)}.")
        name = misfit(order.environment, has=self._environment)
        if name is not None:
            raise ValueError(f"{name} is read while a process starts, and the fork server was started with another value.")
        return order

    def _fork(self, birth: Birth) -> Birth | None:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            pid = os.fork()
            if pid == 0:
                self._forget()
                return birth
        finally:
            if os.getpid() == birth.server:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
        child = _Child(pid=pid, descriptor=_watched(pid), client=birth.client)
        self._children[pid] = child
        self._selector.register(child.descriptor, selectors.EVENT_READ, data=child)
        self._selector.register(birth.client, selectors.EVENT_READ, data=child)
        return None

    def _look_after(self, child: _Child, *, is_over: bool) -> None:
        """Its end, or its client's: what it has ordered lives on, as the child of a process that has gone does."""
        if is_over:
            child.has_ended = True
            self._selector.unregister(child.descriptor)
            if child.client is not None:
                _tell(child.client, ended=_exit_code(child.descriptor))
        elif child.client is not None:
            self._selector.unregister(child.client)
            child.client.close()
            child.client = None
        if child.has_ended and child.client is None:
            os.waitpid(child.pid, 0)
            os.close(child.descriptor)
            del self._children[child.pid]

    def _forget(self) -> None:
        """In a child: close what is the server's."""
        self._selector.close()
        self._listening.close()
        for stranger in self._strangers:
            stranger.close()
        for child in self._children.values():
            os.close(child.descriptor)
            if child.client is not None:
                child.client.close()


def _watched(pid: int) -> int:
    """A descriptor that can be read when this child has ended; where there is none to be had, there is no child either."""
    try:
        return os.pidfd_open(pid)
    except OSError:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise


def _exit_code(descriptor: int) -> int:
    """Of a process that has ended, negative for a signal; it stays a zombie."""
    ended = os.waitid(os.P_PIDFD, descriptor, os.WEXITED | os.WNOWAIT)
    assert ended is not None
    return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status


def _tell(client: socket.socket, **words: object) -> None:
    """Send it; a client that has gone misses nothing."""
    try:
        client.send(json.dumps(words).encode())
    except OSError:
        return
