"""The places that Open MPI has for the ranks of this worker: taken from stand-ins, given to ranks."""

import contextlib
import json
import os
import socketserver
import threading
import time
from collections.abc import Collection, Iterator
from pathlib import Path

PLACE_VARIABLE = "TRAININGRUN_MPI_PLACE"
"""In a rank: the file in which it finds its place."""
SOCKET_VARIABLE = "TRAININGRUN_MPI_SOCKET"
"""In a stand-in: where its agent listens."""
RETRY_SECONDS = 0.02


class Slots:
    """Listens for stand-ins, and leaves what each brings in the file of its rank."""

    def __init__(self, folder: Path, *, ranks: Collection[int]) -> None:
        self.socket = folder / "slots"
        self.misplaced: int | None = None
        """A rank that Open MPI has put on this worker, and that belongs to another."""
        self._folder = folder
        self._ranks = frozenset(ranks)
        self._taken: set[int] = set()

    @property
    def are_taken(self) -> bool:
        """Whether all ranks of this worker have a place."""
        return self._taken == self._ranks

    def place(self, rank: int) -> Path:
        """The file in which a rank finds its place."""
        return self._folder / f"rank-{rank}.json"

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Listen while the context lasts. Stand-ins stay as long as the process does."""
        server = socketserver.ThreadingUnixStreamServer(str(self.socket), self._handler())
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            # Not `server_close`: it would wait for the stand-ins, which wait for the end of this process.
            server.socket.close()

    def _handler(self) -> type[socketserver.StreamRequestHandler]:
        take = self._take

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                line = self.rfile.readline()
                if line:
                    take(json.loads(line))
                    self.rfile.read()  # until the stand-in is ended

        return Handler

    def _take(self, place: dict[str, str]) -> None:
        rank = int(place["OMPI_COMM_WORLD_RANK"])
        if rank not in self._ranks:
            self.misplaced = rank
            return
        file = self.place(rank)
        new = file.with_suffix(".new")
        new.write_text(json.dumps(place))
        new.rename(file)
        self._taken.add(rank)


def take_place(file: Path, *, deadline: float) -> bool:
    """In a rank: become the process of the MPI job whose place is in the file; False when there is none by the deadline."""
    while not file.exists():
        if time.monotonic() > deadline:
            return False
        time.sleep(RETRY_SECONDS)
    os.environ.update(json.loads(file.read_text()))
    return True
