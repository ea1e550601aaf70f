import json
import os
import signal
import warnings
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.unit.trainer.forking import ForkServer, a_server
from tests.unit.trainer.gangs import NOT_FORKED, Gang, Start, a_config, free_ports, start_agent
from trainingrun.api.base import to_wire

DIGITS = Path(__file__).parent.parent.parent.parent / "examples" / "data"


def pytest_configure() -> None:
    """TensorFlow and what it imports warn about themselves; our own warnings stay errors."""
    warnings.filterwarnings("ignore", module=r"(tensorflow|tf_keras|keras|google|horovod|flatbuffers|h5py).*")


@pytest.fixture(scope="session")
def builtin_data() -> Path:
    """Where the repository keeps the digits that the image holds."""
    return DIGITS


@pytest.fixture(scope="session")
def fork_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkServer]:
    """One that has imported what agents, studies and ranks import, for all tests of this process."""
    modules = (
        "trainingrun_trainer.forkserver.preloaded",
        "trainingrun_trainer.agent.worker",
        "trainingrun_trainer.tuning.clerk",
    )
    with a_server(tmp_path_factory.mktemp("fork"), *modules) as running:
        yield running


@pytest.fixture
def start(tmp_path: Path, builtin_data: Path, fork_server: ForkServer) -> Iterator[Start]:
    """Starts gangs that share one output; ends what is left of them.

    Their processes are forked, or fresh where a test is about how they start.
    """
    gangs: list[Gang] = []

    def make(
        *,
        attempt: int = 1,
        replicas: int = 2,
        processes: int = 1,
        rank: str | None = None,
        fresh: bool = False,
        absent: Collection[int] = (),
        variables: Mapping[int, Mapping[str, str]] | None = None,
        **spec: Any,
    ) -> Gang:
        folder = tmp_path / f"attempt-{attempt}-{len(gangs)}"
        folder.mkdir()
        config = a_config(attempt=attempt, replicas=replicas, processes=processes, **spec)
        (folder / "config.json").write_text(json.dumps(to_wire(config)))
        rendezvous, *progress = free_ports(1 + replicas)
        server = None if fresh else fork_server
        agents = [
            start_agent(
                folder,
                worker=worker,
                rendezvous=rendezvous,
                progress=progress[worker],
                output=tmp_path,
                builtin=builtin_data,
                rank=rank,
                server=server,
                variables=(variables or {}).get(worker),
            )
            for worker in range(replicas)
            if worker not in absent
        ]
        gangs.append(Gang(folder=folder, agents=agents, ports=progress, server=server))
        return gangs[-1]

    yield make
    for gang in gangs:
        for worker, agent in enumerate(gang.agents):
            for pid in gang.rank_pids(worker):
                os.kill(pid, signal.SIGKILL)
            agent.kill()
            agent.wait()
    logs = [path.read_text() for gang in gangs if gang.server is not None for path in gang.folder.glob("log-*")]
    assert not [log for log in logs if NOT_FORKED in log]
