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
from tests.faults.sharing import shared
from tests.patience import patience
from tools.install import OPERATOR, OPERATOR_NAMESPACE
from tools.kubectl import Kubectl, KubectlError

ROOT = Path(__file__).parent.parent.parent
CLAIM = "models"
HURRY = {
    "RESTART_BACKOFF_SECONDS": "2",
    "RESTART_BACKOFF_LIMIT_SECONDS": "30",
    "LOOK_AGAIN_SECONDS": "0.5",
    "STALLED_LOOK_AGAIN_SECONDS": "6",
    "FORBIDDEN_RETRY_SECONDS": "3",
    "NODE_CACHE_SECONDS": "6",
}
"""A tenth of what the operator waits for where no event comes. Time-outs stay as they are, for slow machines.

Two seconds of back-off, not one: the status keeps whole seconds, and the write that says when the next attempt starts is tried.
"""

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Lab:
    """What all tries share. In each namespace one try takes place at a time."""

    name: str
    """Tells it from those of other processes."""
    endpoint: Endpoint
    token: str
    """Of the operator's ServiceAccount."""
    namespaces: tuple[str, ...]
    rival_namespace: str
    """Where a second operator can lead although there is a first one."""
    folder: Path
    """For kubeconfigs and logs."""
    common: Path
    """For what the laboratories of one session of tests share."""
    settings: Mapping[str, str] = field(default_factory=lambda: HURRY)
    """Variables of its operators, besides those that all have."""


@contextmanager
def laboratory(admin: Kubectl, *, name: str, size: int, folder: Path, common: Path) -> Iterator[Lab]:
    """Namespaces for so many tries at once, with no other operator in the cluster; removed afterwards.

    Laboratories of several processes are told apart by their names; `common` is a folder that they share.
    """
    namespaces = tuple(f"faults-{name}-{number}" for number in range(size))
    everywhere = (*namespaces, f"faults-{name}-rival")
    rules = list(yaml.safe_load_all((ROOT / "manifests" / "base" / "rbac.yaml").read_text()))

    def up() -> None:
        _let_operator_rest(admin, note=common / "replicas")
        install_crds(admin)
        admin.apply(_a_namespace(OPERATOR_NAMESPACE), *rules)

    with shared(common / "laboratory", up=up, down=lambda: _wake_operator(admin, note=common / "replicas")):
        _remove(admin, everywhere)  # what an interrupted session has left
        admin.apply(*map(_a_namespace, everywhere))
        admin.apply(
            *(made for name in everywhere for made in _leadership(rules, namespace=name)),
            *(made for name in namespaces for made in _a_claim(name)),
        )
        token = admin.within(OPERATOR_NAMESPACE).run("create", "token", OPERATOR, "--duration=2h").strip()
        try:
            yield Lab(
                name=name,
                endpoint=Endpoint.of(admin),
                token=token,
                namespaces=namespaces,
                rival_namespace=everywhere[-1],
                folder=folder,
                common=common,
            )
        finally:
            _remove(admin, everywhere)


def _remove(admin: Kubectl, namespaces: Sequence[str]) -> None:
    """Delete the namespaces and their volumes, and wait until they are gone.

    Runs go first: a namespace deletes pods before Jobs, and a Job holds a pod that is deleted before it has ended.
    """
    existing = {found["metadata"]["name"] for found in admin.list("namespaces")}
    for name in existing.intersection(namespaces):
        admin.within(name).run("delete", "trainingruns", "--all", "--wait=false")
    for kind in ("namespace", "persistentvolume"):
        admin.run("delete", kind, *namespaces, "--ignore-not-found", timeout=patience(120))


def _let_operator_rest(admin: Kubectl, *, note: Path) -> None:
    """An operator that an earlier test has installed rests meanwhile; how many replicas it had is noted."""
    system = admin.within(OPERATOR_NAMESPACE)
    try:
        installed = system.get("deployment", OPERATOR)
    except KubectlError:
        installed = None
    if installed is None:
        return
    note.write_text(str(installed["spec"]["replicas"]))
    system.run("scale", f"deployment/{OPERATOR}", "--replicas=0")
    seconds = patience(60)
    label = f"app.kubernetes.io/name={OPERATOR}"
    system.run("wait", "--for=delete", "pod", "-l", label, f"--timeout={seconds:.0f}s", timeout=seconds + 10)


def _wake_operator(admin: Kubectl, *, note: Path) -> None:
    if note.exists():
        system = admin.within(OPERATOR_NAMESPACE)
        system.run("scale", f"deployment/{OPERATOR}", f"--replicas={note.read_text()}")
        note.unlink()


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
