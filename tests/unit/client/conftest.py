from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.client.api_server import Store, serving
from trainingrun.client import TrainingClient
from trainingrun.client.kube import KubeCluster


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Store, Path]]:
    """A running API server and its kubeconfig."""
    with serving(tmp_path) as found:
        yield found


@pytest.fixture
def store(server: tuple[Store, Path]) -> Store:
    """What the API server holds."""
    return server[0]


@pytest.fixture
def client(server: tuple[Store, Path]) -> Iterator[TrainingClient]:
    """A client of it."""
    cluster = KubeCluster(kubeconfig=server[1])
    yield TrainingClient(cluster=cluster)
    cluster.close()
