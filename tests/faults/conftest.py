import os
from collections.abc import Iterator

import pytest

from tests.cluster_fixtures import admin, backend
from tests.faults.kwok import kwok
from tests.faults.lab import Lab, laboratory
from tools.kubectl import Kubectl

__all__ = ["admin", "backend"]

AT_ONCE = 12
"""Tries, in all processes of the session together."""


@pytest.fixture(scope="session")
def lab(admin: Kubectl, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Lab]:
    """Namespaces of a real cluster in which pods are played by KWOK; each process of the session has its own."""
    folder = tmp_path_factory.mktemp("faults")
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    root = tmp_path_factory.getbasetemp()
    common = (root.parent if processes > 1 else root) / "faults-common"
    with (
        kwok(admin, folder=common / "kwok"),
        laboratory(admin, name=worker_id, size=AT_ONCE // processes, folder=folder, common=common) as made,
    ):
        yield made
