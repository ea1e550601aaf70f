"""A worker that is no trainer: it answers whoever asks for its progress as it has been told to, and leaves what it likes.

It reads its part from a file: what to answer, question after question, and what to leave as its last words. Between two
answers that may not be understood it gives an honest one, or it would be asked ever more seldom. Only the kubelet's question,
whether it is ready, is always answered well.
"""

import gzip
import json
import os
import signal
import socket
import struct
import threading
import time
from typing import Any

from trainingrun.contract import PROGRESS_PORT, TERMINATION_MESSAGE_PATH

VARIABLE = "PLAYED_HOSTILE"
"""The file, of a worker that is one."""
READY = "GET /readyz"
ASKED = "GET /progress"
_HEAD = "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}"
_RESET = struct.pack("ii", 1, 0)

Step = dict[str, Any]
"""Of an answer: `send` (bytes as Latin-1; so many `times`, or for ever), `gzip` (so many bytes, compressed), `hold` (seconds),
`reset` (the connection)."""


class Part:
    """What is left to be answered. Each answer is given once, to one question."""

    def __init__(self, part: dict[str, Any]) -> None:
        self._answers: list[tuple[str, list[Step]]] = list(part["answers"])
        self._honest: str = part["honest"]
        self._is_honest = False
        self._lock = threading.Lock()
        self.is_over = threading.Event()

    def next(self) -> list[Step]:
        """The steps of the next answer."""
        with self._lock:
            self._is_honest = not self._is_honest
            if self._is_honest or not self._answers:
                if not self._answers:
                    self.is_over.set()
                return [{"send": _HEAD.format(len(self._honest), self._honest)}]
            name, steps = self._answers.pop(0)
            print(f"answers: {name}", flush=True)
            return steps


def main() -> None:
    """Play the part, and never return."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with open(os.environ[VARIABLE]) as file:
        told = json.load(file)
    part = Part(told)
    family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET
    both = family == socket.AF_INET6
    with socket.create_server(("", PROGRESS_PORT), family=family, dualstack_ipv6=both, backlog=64) as server:
        threading.Thread(target=_serve, args=(server, part), daemon=True).start()
        part.is_over.wait()
        print("all is answered", flush=True)
        if told["ends"] is None:
            threading.Event().wait()
        with open(TERMINATION_MESSAGE_PATH, "wb") as last:
            last.write(told["last"].encode("latin-1"))
        os._exit(told["ends"])


def _serve(server: socket.socket, part: Part) -> None:
    while True:
        connection, _ = server.accept()
        threading.Thread(target=_answer, args=(connection, part), daemon=True).start()


def _answer(connection: socket.socket, part: Part) -> None:
    with connection:
        try:
            asked = connection.recv(4096).decode("latin-1")
            if asked.startswith(READY):
                connection.sendall(_HEAD.format(0, "").encode())
            elif asked.startswith(ASKED):
                for step in part.next():
                    _do(connection, step)
        except OSError:
            return  # whoever asked has had enough


def _do(connection: socket.socket, step: Step) -> None:
    if "hold" in step:
        time.sleep(step["hold"])
    if "gzip" in step:
        connection.sendall(gzip.compress(bytes(step["gzip"])))
    if "send" in step:
        data = step["send"].encode("latin-1")
        times = step.get("times", 1)
        while times is None or times > 0:
            connection.sendall(data)
            times = times and times - 1
    if step.get("reset"):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
