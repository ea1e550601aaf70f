"""The cluster that schema and end-to-end tests share. It stays up between test runs; `make test` takes it down at the end."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import cluster
from tools.kubectl import Kubectl

CRDS = Path(__file__).parent.parent / "crds"


@pytest.fixture(scope="session")
def backend() -> cluster.Cluster:
    """A running cluster: CLUSTER and CLUSTER_NAME say which."""
    connected = cluster.connect(name=os.environ.get("CLUSTER_NAME", "trainingrun-test"))
    connected.up()
    return connected


@pytest.fixture(scope="session")
def admin(backend: cluster.Cluster) -> Kubectl:
    """kubectl as the cluster's administrator."""
    return Kubectl(binary=backend.kubectl(), kubeconfig=backend.kubeconfig())


def install_crds(admin: Kubectl) -> None:
    """Apply the CRDs and wait until the API server serves them."""
    # --for=condition fails at once on an object that has no conditions yet.
    established = """--for=jsonpath={.status.conditions[?(@.type=="Established")].status}=True"""
    for plural in ("trainingruns", "trainingpresets"):
        admin.run("apply", "-f", str(CRDS / f"{plural}.yaml"))
        admin.run("wait", established, f"crd/{plural}.trainingrun.dev", "--timeout=30s")


def fresh_namespace(admin: Kubectl, name: str) -> Iterator[Kubectl]:
    """A namespace under Pod Security `restricted`, deleted afterwards."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    admin.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    yield admin.within(name)
    admin.run("delete", "namespace", name, "--wait=false")
