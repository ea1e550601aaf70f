"""Where runs are tried: namespaces in which an operator may lead, with the claim that runs write to."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.cluster_fixtures import install_crds
from tests.faults.api import Endpoint
from tools.install import OPERATOR, OPERATOR_NAMESPACE
from tools.kubectl import Kubectl, KubectlError

ROOT = Path(__file__).parent.parent.parent
CLAIM = "models"
RIVAL_NAMESPACE = "faults-rival"
"""Where a second operator can lead although there is a first one."""

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Lab:
    """What all tries share. In each namespace one try takes place at a time."""

    endpoint: Endpoint
    token: str
    """Of the operator's ServiceAccount."""
    namespaces: tuple[str, ...]
    folder: Path
    """For kubeconfigs and logs."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Variables of its operators, besides those that all have."""


@contextmanager
def laboratory(admin: Kubectl, *, size: int, folder: Path) -> Iterator[Lab]:
    """Namespaces for so many tries at once, with no other operator in the cluster; removed afterwards."""
    namespaces = tuple(f"faults-{number}" for number in range(size))
    install_crds(admin)
    rules = list(yaml.safe_load_all((ROOT / "manifests" / "base" / "rbac.yaml").read_text()))
    with _no_other_operator(admin):
        _remove(admin, (*namespaces, RIVAL_NAMESPACE))  # what an interrupted session has left
        everywhere = (*namespaces, RIVAL_NAMESPACE)
        admin.apply(_a_namespace(OPERATOR_NAMESPACE), *rules, *map(_a_namespace, everywhere))
        admin.apply(*(made for name in everywhere for made in _leadership(rules, namespace=name)))
        admin.apply(*(made for name in namespaces for made in _a_claim(name)))
        token = admin.within(OPERATOR_NAMESPACE).run("create", "token", OPERATOR, "--duration=2h").strip()
        try:
            yield Lab(endpoint=Endpoint.of(admin), token=token, namespaces=namespaces, folder=folder)
        finally:
            _remove(admin, (*namespaces, RIVAL_NAMESPACE))


def _remove(admin: Kubectl, namespaces: Sequence[str]) -> None:
    """Delete the namespaces and their volumes, and wait until they are gone.

    Runs go first: a namespace deletes pods before Jobs, and a Job holds a pod that is deleted before it has ended.
    """
    existing = {found["metadata"]["name"] for found in admin.list("namespaces")}
    for name in existing.intersection(namespaces):
        admin.within(name).run("delete", "trainingruns", "--all", "--wait=false")
    for kind in ("namespace", "persistentvolume"):
        admin.run("delete", kind, *namespaces, "--ignore-not-found", timeout=120)


@contextmanager
def _no_other_operator(admin: Kubectl) -> Iterator[None]:
    """An operator that an earlier test has installed rests meanwhile."""
    system = admin.within(OPERATOR_NAMESPACE)
    try:
        installed = system.get("deployment", OPERATOR)
    except KubectlError:
        installed = None
    if installed is None:
        yield
        return
    system.run("scale", f"deployment/{OPERATOR}", "--replicas=0")
    system.run("wait", "--for=delete", "pod", "-l", f"app.kubernetes.io/name={OPERATOR}", "--timeout=60s", timeout=70)
    try:
        yield
    finally:
        system.run("scale", f"deployment/{OPERATOR}", f"--replicas={installed['spec']['replicas']}")


def _leadership(rules: list[Manifest], *, namespace: str) -> list[Manifest]:
    """The shipped Role of the Lease and its binding, for an operator that leads in another namespace."""
    mine: list[Manifest] = json.loads(json.dumps([rule for rule in rules if rule["kind"] in ("Role", "RoleBinding")]))
    for rule in mine:
        rule["metadata"]["namespace"] = namespace
    return mine


def _a_namespace(name: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _a_claim(namespace: str) -> list[Manifest]:
    """A claim with a volume that no node is bound to, and that nobody mounts."""
    ask = {"accessModes": ["ReadWriteMany"], "storageClassName": ""}
    reference = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": CLAIM, "namespace": namespace}
    volume = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": namespace},
        "spec": {**ask, "capacity": {"storage": "1Gi"}, "hostPath": {"path": "/nonexistent"}, "claimRef": reference},
    }
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": CLAIM, "namespace": namespace},
        "spec": {**ask, "volumeName": namespace, "resources": {"requests": {"storage": "1Gi"}}},
    }
    return [volume, claim]
