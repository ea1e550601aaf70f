"""A process that a fork server has started, as its client sees it."""

import json
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

from trainingrun_trainer.forkserver.order import MESSAGE_BYTES, Order, encode


class Refused(Exception):  # noqa: N818  # nothing is wrong: there is another way
    """The server has not forked, and why."""


class Forked:
    """Behaves like `subprocess.Popen`. One whose server has ended was killed with it, and has ended by SIGKILL."""

    def __init__(self, connection: socket.socket, *, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._connection = connection
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        """Exit code, negative for a signal, or None while it runs; also while another thread waits for it."""
        if self.returncode is None and self._lock.acquire(blocking=False):
            try:
                self._hear(seconds=0)
            finally:
                self._lock.release()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the exit code.

        Raises subprocess.TimeoutExpired when it has not come within `timeout` seconds.
        """
        with self._lock:
            self._hear(seconds=timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        return self.returncode

    def send_signal(self, sig: int) -> None:
        """Send it this signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, sig)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def _hear(self, *, seconds: float | None) -> None:
        """Take the server's last word about the process, if it comes in time. Only after it may the server forget the pid."""
        if self.returncode is not None:
            return
        self._connection.settimeout(seconds)
        try:
            said = self._connection.recv(MESSAGE_BYTES)
        except (BlockingIOError, TimeoutError):
            return
        except ConnectionError:
            said = b""
        self.returncode = int(json.loads(said).get("ended", -signal.SIGKILL)) if said else -signal.SIGKILL
        self._connection.close()


def fork(order: Order, *, server: Path, descriptors: Sequence[int]) -> Forked:
    """Let the server at this socket carry out the order; returns when the process is what the order says.

    Raises Refused when there is no such server, or it declines.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        connection.connect(str(server))
        socket.send_fds(connection, [encode(order)], descriptors)
        said = json.loads(connection.recv(MESSAGE_BYTES) or b'{"refused": "The fork server has ended."}')
    except OSError as problem:
        connection.close()
        raise Refused(f"The fork server at {server} does not answer: {problem}.") from problem
    if "pid" not in said:
        connection.close()
        raise Refused(said.get("refused", "The forked process has ended before it was ready."))
    return Forked(connection, pid=int(said["pid"]))
