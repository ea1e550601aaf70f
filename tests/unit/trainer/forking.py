"""Fork servers for tests, and processes that they fork."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.patience import patience
from tests.waiting import wait_for

MODULE = "trainingrun_trainer.forkserver"
START_SECONDS = 60


@dataclass(frozen=True)
class ForkServer:
    """A running one; a client needs no more than its socket."""

    socket: Path
    process: "subprocess.Popen[bytes]"


@contextmanager
def a_server(folder: Path, *modules: str, environment: Mapping[str, str] | None = None) -> Iterator[ForkServer]:
    """A server that has imported these modules; its last words are in the folder."""
    path = folder / "socket"
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", MODULE, str(path), *modules],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        is_up = wait_for(
            lambda: path.exists() or process.poll(),
            lambda up: up is not None and up is not False,
            what="a fork server",
            timeout=START_SECONDS,
            interval=0.01,
        )
        assert is_up is True, (folder / "server.log").read_text()
        yield ForkServer(path, process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(patience(10))
