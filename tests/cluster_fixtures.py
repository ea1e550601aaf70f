"""The cluster that schema and end-to-end tests share. It stays up between test runs; `make test` takes it down at the end."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import yaml

import cluster
from images.cache import locked
from tests.patience import patience
from tests.waiting import wait_for
from tools.kubectl import Kubectl
from tools.suite.accounts import Account, waiting

CRDS = Path(__file__).parent.parent / "crds"


@pytest.fixture(scope="session")
def backend() -> cluster.Cluster:
    """A running cluster: CLUSTER and CLUSTER_NAME say which. The first process of several brings it up for all."""
    connected = cluster.connect(name=os.environ.get("CLUSTER_NAME", "trainingrun-test"))
    with waiting(Account.CLUSTER), one_process(connected):
        connected.up()
    return connected


def one_process(backend: cluster.Cluster) -> AbstractContextManager[None]:
    """Of the processes that share this cluster for their tests, only one at a time is in the context."""
    return locked(f"tests-{backend.name}")


@pytest.fixture(scope="session")
def admin(backend: cluster.Cluster) -> Kubectl:
    """kubectl as the cluster's administrator."""
    return Kubectl(binary=backend.kubectl(), kubeconfig=backend.kubeconfig(), patience=patience(1))


def install_crds(admin: Kubectl) -> None:
    """Apply the CRDs and wait until the API server serves them."""
    for plural in ("trainingruns", "trainingpresets"):
        install_crd(admin, CRDS / f"{plural}.yaml")


def install_crd(admin: Kubectl, file: Path) -> None:
    """Apply a CRD and wait until the API server serves it; `kubectl wait` would fail while it has no conditions yet."""
    admin.run("apply", "--server-side", "--force-conflicts", "-f", str(file))
    name = yaml.safe_load(file.read_text())["metadata"]["name"]
    wait_for(lambda: admin.get("crd", name), _is_served, what=f"{name} to be served", timeout=30)


def _is_served(crd: dict[str, Any] | None) -> bool:
    conditions = (crd or {}).get("status", {}).get("conditions") or ()
    return any((each["type"], each["status"]) == ("Established", "True") for each in conditions)


def fresh_namespace(admin: Kubectl, name: str) -> Iterator[Kubectl]:
    """A namespace under Pod Security `restricted`, deleted afterwards."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    admin.delete("namespace", name)  # that of an earlier session, which may have been interrupted
    admin.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    yield admin.within(name)
    admin.run("delete", "namespace", name, "--wait=false")
