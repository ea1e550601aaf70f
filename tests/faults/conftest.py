import os
from collections.abc import Iterator
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # it ships no types

from tests.cluster_fixtures import admin, backend
from tests.faults.kwok import kwok
from tests.faults.lab import Lab, laboratory
from tools.kubectl import Kubectl

__all__ = ["admin", "backend"]

TOGETHER = ("test_accelerators.py", "test_gangs.py", "test_nodes.py")
"""Files whose tests share nodes or a cluster, and so a process. All others go to whichever process is free."""
AT_ONCE = 12
"""Tries, in all processes of the session together."""


class Scheduler(LoadScopeScheduling):  # type: ignore[misc]  # of a library without types
    """xdist's own `--dist loadgroup` does nothing: it writes to an attribute that pytest 9.2 does not have any more."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if file.endswith(TOGETHER) else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduler:
    """How the processes of a session share the tests."""
    return Scheduler(config, log)


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
