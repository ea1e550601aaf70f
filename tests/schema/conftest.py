from collections.abc import Iterator

import pytest

from tests.cluster_fixtures import admin, backend, fresh_namespace, install_crds
from tools.kubectl import Kubectl

__all__ = ["admin", "backend"]


@pytest.fixture(scope="session")
def crd(admin: Kubectl) -> Kubectl:
    """kubectl for a cluster that has the CRDs."""
    install_crds(admin)
    return admin


@pytest.fixture(scope="module")
def kubectl(crd: Kubectl, request: pytest.FixtureRequest) -> Iterator[Kubectl]:
    """kubectl within a namespace of its own, where no operator works: its runs stay as they were written."""
    yield from fresh_namespace(crd, f"schema-{request.module.__name__.rpartition('_')[2]}")
