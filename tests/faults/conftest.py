from collections.abc import Iterator

import pytest

from tests.cluster_fixtures import admin, backend
from tests.faults.kwok import kwok
from tests.faults.lab import Lab, laboratory
from tools.kubectl import Kubectl

__all__ = ["admin", "backend"]

AT_ONCE = 12


@pytest.fixture(scope="session")
def lab(admin: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Namespaces of a real cluster in which pods are played by KWOK."""
    folder = tmp_path_factory.mktemp("faults")
    with kwok(admin, folder=folder), laboratory(admin, size=AT_ONCE, folder=folder) as made:
        yield made
