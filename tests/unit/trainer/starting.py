"""Starts gangs as the pods of an attempt would be: one agent per worker, on this machine's loopback."""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.patience import patience
from tests.unit.trainer.forking import ForkServer
from tests.unit.trainer.gangs import Gang
from trainingrun.api.base import to_wire
from trainingrun.contract import AttemptConfig
from trainingrun_trainer.agent.forked import Forked
from trainingrun_trainer.agent.processes import SERVER_VARIABLE, forked, spawn
from trainingrun_trainer.agent.processes import Start as ProcessStart

NOT_FORKED = "Started as a fresh process"
"""What an agent says when the fork server declines: tests would only be slow."""

Start = Callable[..., Gang]
"""A `Starter`, as tests call it."""


@dataclass
class Starter:
    """Gangs that share one output. Their processes are forked, or fresh where a test is about how they start."""

    folder: Path
    builtin: Path
    server: ForkServer
    gangs: list[Gang] = field(default_factory=list)

    def __call__(
        self,
        *,
        attempt: int = 1,
        replicas: int = 2,
        processes: int = 1,
        rank: str | None = None,
        fresh: bool = False,
        host: str = "127.0.0.1",
        absent: Collection[int] = (),
        variables: Mapping[int, Mapping[str, str]] | None = None,
        **spec: Any,
    ) -> Gang:
        """Start one, without the workers that are absent; for `rank`, `host` and `variables` see `start_agent`."""
        folder = self.folder / f"attempt-{attempt}-{len(self.gangs)}"
        folder.mkdir()
        config = a_config(attempt=attempt, replicas=replicas, processes=processes, **spec)
        (folder / "config.json").write_text(json.dumps(to_wire(config)))
        rendezvous, *progress = free_ports(1 + replicas)
        server = None if fresh else self.server
        agents = [
            start_agent(
                folder,
                worker=worker,
                rendezvous=rendezvous,
                progress=progress[worker],
                output=self.folder,
                builtin=self.builtin,
                rank=rank,
                host=host,
                server=server,
                variables=(variables or {}).get(worker),
            )
            for worker in range(replicas)
            if worker not in absent
        ]
        self.gangs.append(Gang(folder=folder, agents=agents, ports=progress, server=server))
        return self.gangs[-1]

    def end(self) -> None:
        """End what is left of them, and see that none was slow for nothing."""
        for gang in self.gangs:
            for worker, agent in enumerate(gang.agents):
                for pid in gang.rank_pids(worker):
                    os.kill(pid, signal.SIGKILL)
                agent.kill()
                agent.wait()
        logs = [path.read_text() for gang in self.gangs if gang.server is not None for path in gang.folder.glob("log-*")]
        assert not [log for log in logs if NOT_FORKED in log]


@contextmanager
def starting(folder: Path, *, builtin: Path, server: ForkServer) -> Iterator[Starter]:
    """A starter whose gangs end with the context."""
    starter = Starter(folder, builtin, server)
    try:
        yield starter
    finally:
        starter.end()


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on just now."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


def a_config(*, attempt: int = 1, replicas: int = 1, processes: int = 1, **spec: Any) -> AttemptConfig:
    """The configuration of an attempt; `spec` replaces parts of it."""
    return AttemptConfig.model_validate(
        {
            "run": {"namespace": "team", "name": "run", "uid": "uid-1"},
            "attempt": attempt,
            "strategy": "Single" if replicas * processes == 1 else "Horovod",
            "replicas": replicas,
            "processesPerWorker": processes,
            "startTimeoutSeconds": int(patience(60)),
            "data": {"source": {"builtin": "MNIST10k"}},
            "model": {"builtin": {"type": "MLP"}},
            "training": {"epochs": 2},
            "output": {"persistentVolumeClaim": {"claimName": "models"}},
            **spec,
        }
    )


def start_agent(
    folder: Path,
    *,
    worker: int,
    rendezvous: int,
    progress: int,
    output: Path,
    builtin: Path,
    rank: str | None,
    server: ForkServer | None,
    host: str = "127.0.0.1",
    variables: Mapping[str, str] | None = None,
) -> "subprocess.Popen[bytes] | Forked":
    """One agent; `rank` names a module of ours that its ranks run instead of the trainer's, `variables` change its world.

    `host` is where it finds worker 0, an address of IPv6 in brackets.

    It and its ranks are forked from the server, or fresh processes where there is none.
    """
    module, arguments = ("trainingrun_trainer", ()) if rank is None else ("tests.unit.trainer.altered_agent", (rank,))
    environment = {
        **os.environ,
        "JOB_COMPLETION_INDEX": str(worker),
        "TRAININGRUN_CONFIG": str(folder / "config.json"),
        "TRAININGRUN_COORDINATOR": f"{host}:{rendezvous}",
        "TRAININGRUN_RENDEZVOUS_PORT": str(rendezvous),
        "TRAININGRUN_PROGRESS_PORT": str(progress),
        "TRAININGRUN_BUILTIN_DATA": str(builtin),
        "TRAININGRUN_DATA_MOUNT": str(output / "data"),
        "TRAININGRUN_DATA_ACCESS_MOUNT": str(output / "data-access"),
        "TRAININGRUN_OUTPUT_MOUNT": str(output / "output"),
        "TRAININGRUN_OUTPUT_ACCESS_MOUNT": str(output / "output-access"),
        "TRAININGRUN_TERMINATION_MESSAGE": str(folder / f"termination-{worker}"),
        **({} if server is None else {SERVER_VARIABLE: str(server.socket)}),
        **(variables or {}),
    }
    with (folder / f"log-{worker}").open("wb") as log:
        start = ProcessStart(module=module, arguments=arguments, environment=environment, output=log.fileno())
        return spawn(start) if server is None else forked(start, server=server.socket)


def result_of(tmp_path: Path) -> dict[str, Any]:
    """What the run has published."""
    parsed: dict[str, Any] = json.loads((tmp_path / "output" / "run" / "result.json").read_text())
    return parsed
