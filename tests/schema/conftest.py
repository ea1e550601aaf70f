from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster_fixtures import admin, backend, fresh_namespace
from tools.kubectl import Kubectl

__all__ = ["admin", "backend"]

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def crd(admin: Kubectl) -> Kubectl:
    """kubectl for a cluster that has the CRDs."""
    for plural in ("trainingruns", "trainingpresets"):
        admin.run("apply", "-f", str(ROOT / "crds" / f"{plural}.yaml"))
        admin.run("wait", "--for=condition=Established", f"crd/{plural}.trainingrun.dev", "--timeout=30s")
    return admin


@pytest.fixture(scope="module")
def kubectl(crd: Kubectl, request: pytest.FixtureRequest) -> Iterator[Kubectl]:
    """kubectl within a namespace of its own, where no operator works: its runs stay as they were written."""
    yield from fresh_namespace(crd, f"schema-{request.module.__name__.rpartition('_')[2]}")
