from collections.abc import Iterator

import pytest

from tests.cluster_fixtures import admin, backend, fresh_namespace, install_crds
from tests.helm import program
from tests.helm.program import Helm
from tests.patience import patience
from tools.install import OPERATOR, OPERATOR_NAMESPACE
from tools.kubectl import Kubectl

__all__ = ["admin", "backend"]


@pytest.fixture(scope="session")
def crd(admin: Kubectl) -> Kubectl:
    """kubectl for a cluster that has the CRDs, and no operator: `make e2e` brings it anew."""
    install_crds(admin)
    gone = ("--ignore-not-found", "--cascade=foreground", f"--timeout={patience(60):.0f}s")
    admin.within(OPERATOR_NAMESPACE).run("delete", "deployment", OPERATOR, *gone, timeout=patience(70))
    return admin


@pytest.fixture(scope="module")
def kubectl(crd: Kubectl, request: pytest.FixtureRequest) -> Iterator[Kubectl]:
    """kubectl within a namespace of its own, where no operator works: its runs stay as they were written."""
    yield from fresh_namespace(crd, f"schema-{request.module.__name__.rpartition('_')[2]}")


@pytest.fixture(scope="session")
def helm(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """Helm without a cluster; what is printed while it is built is shown."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    assert capture is not None
    with capture.global_and_fixture_disabled():
        return Helm(program=program.build(), home=tmp_path_factory.mktemp("helm"))
