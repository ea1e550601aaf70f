import json
import os
import signal
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.unit.trainer.gangs import Gang, Start, a_config, children_of, free_ports, start_agent
from trainingrun.api.base import to_wire

DIGITS = Path(__file__).parent.parent.parent.parent / "examples" / "data"


def pytest_configure() -> None:
    """TensorFlow and what it imports warn about themselves; our own warnings stay errors."""
    warnings.filterwarnings("ignore", module=r"(tensorflow|tf_keras|keras|google|horovod|flatbuffers|h5py).*")


@pytest.fixture(scope="session")
def builtin_data() -> Path:
    """Where the repository keeps the digits that the image holds."""
    return DIGITS


@pytest.fixture
def start(tmp_path: Path, builtin_data: Path) -> Iterator[Start]:
    """Starts gangs that share one output; ends what is left of them."""
    gangs: list[Gang] = []

    def make(
        *,
        attempt: int = 1,
        replicas: int = 2,
        processes: int = 1,
        rank: str | None = None,
        variables: Mapping[int, Mapping[str, str]] | None = None,
        **spec: Any,
    ) -> Gang:
        folder = tmp_path / f"attempt-{attempt}-{len(gangs)}"
        folder.mkdir()
        config = a_config(attempt=attempt, replicas=replicas, processes=processes, **spec)
        (folder / "config.json").write_text(json.dumps(to_wire(config)))
        rendezvous, *progress = free_ports(1 + replicas)
        agents = [
            start_agent(
                folder,
                worker=worker,
                rendezvous=rendezvous,
                progress=progress[worker],
                output=tmp_path,
                builtin=builtin_data,
                rank=rank,
                variables=(variables or {}).get(worker),
            )
            for worker in range(replicas)
        ]
        gangs.append(Gang(folder=folder, agents=agents, ports=progress))
        return gangs[-1]

    yield make
    for agent in (agent for gang in gangs for agent in gang.agents):
        for pid in children_of(agent):
            os.kill(pid, signal.SIGKILL)
        agent.kill()
        agent.wait()
