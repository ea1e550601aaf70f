"""A real Kueue for tests: built from its Go module, installed with the manifests of that module, as a pod of the cluster."""

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

import cluster
from cluster.binaries import GoModule
from tests.waiting import wait_for
from tools.go_operator import GoOperator
from tools.kubectl import Kubectl

NAMESPACE = "kueue-system"

_PATH = "sigs.k8s.io/kueue"
MODULE = GoModule("kueue", (f"{_PATH}/cmd/kueue",), source=Path(__file__).parent / "go")

_KUEUE = GoOperator(
    module=MODULE,
    path=_PATH,
    manifests="config/default",
    placeholder="us-central1-docker.pkg.dev/k8s-staging-images/kueue/kueue",
)
_CONTAINER = {
    "name": "manager",
    "command": ["/kueue"],
    "imagePullPolicy": "IfNotPresent",
    "resources": {"requests": {"cpu": "50m", "memory": "256Mi"}},
    # On a busy machine it may be slow, and is no worse for that.
    "livenessProbe": {"timeoutSeconds": 10, "failureThreshold": 10},
    "readinessProbe": {"timeoutSeconds": 10},
}


@contextmanager
def kueue(backend: cluster.Cluster, admin: Kubectl, *, namespace: str) -> Iterator[None]:
    """Kueue is there for a namespace while the context lasts; building it takes some minutes the first time.

    Nothing of it may stay: its webhooks would refuse every Job of the namespace.
    """
    _KUEUE.load(backend)
    manifests = _only_in(namespace, _KUEUE.render(admin, patches=_patches()))
    admin.run("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=manifests, timeout=120)
    try:
        _wait_until_it_answers(admin.within(NAMESPACE))
        yield
    finally:
        _remove_what_only_it_can(admin)
        admin.run("delete", "--ignore-not-found", "--timeout=120s", "-f", "-", stdin=manifests, timeout=130)


def _wait_until_it_answers(system: Kubectl) -> None:
    """It makes the certificate of its webhooks after it has started, and the kubelet looks for that within two minutes.

    A pod that changes is looked at at once.
    """
    wait_for(
        lambda: system.get("secret", "kueue-webhook-server-cert"),
        lambda secret: bool((secret or {}).get("data")),
        what="Kueue to have made its certificate",
        timeout=60,
    )
    looks = itertools.count()

    def is_ready() -> bool:
        system.run("annotate", "pods", "--all", "--overwrite", f"trainingrun.dev/look={next(looks)}")
        deployment = system.get("deployment", "kueue-controller-manager") or {}
        return bool(deployment["status"].get("readyReplicas"))

    wait_for(is_ready, bool, what="Kueue to be ready", timeout=180, interval=1)


def _only_in(namespace: str, manifests: str) -> str:
    """The manifests with webhooks that ask about one namespace only: while Kueue starts and ends, they refuse everything."""
    documents = list(yaml.safe_load_all(manifests))
    here = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": [namespace]}
    for document in documents:
        for webhook in document.get("webhooks", ()):
            webhook.setdefault("namespaceSelector", {}).setdefault("matchExpressions", []).append(here)
    return str(yaml.safe_dump_all(documents))


def _patches() -> list[dict[str, str]]:
    """Our image has no other start, it elects no leader, and it serves no API of pending workloads.

    A busy machine makes it lose an election. And while the server of such an API is away, no namespace can be deleted.
    """
    return [
        _patch("apps/v1", "Deployment", "kueue-controller-manager", _CONTAINER),
        _without_election(),
        *(_removed(f"{version}.visibility.kueue.x-k8s.io") for version in ("v1beta1", "v1beta2")),
    ]


def _patch(version: str, kind: str, name: str, container: dict[str, Any]) -> dict[str, str]:
    metadata = {"name": name, "namespace": NAMESPACE}
    spec = {"template": {"spec": {"containers": [container]}}}
    return {"patch": json.dumps({"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec})}


def _without_election() -> dict[str, str]:
    name = "controller_manager_config.yaml"
    text = (_KUEUE.source() / "config" / "components" / "manager" / name).read_text()
    changed = text.replace("leaderElect: true", "leaderElect: false")
    assert changed != text, "Kueue's configuration elects a leader"
    metadata = {"name": "kueue-manager-config", "namespace": NAMESPACE}
    return {"patch": json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {name: changed}})}


def _removed(name: str) -> dict[str, str]:
    identity = {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": name}}
    return {"patch": json.dumps({**identity, "$patch": "delete"})}


def _remove_what_only_it_can(admin: Kubectl) -> None:
    """Workloads and queues have a finalizer.

    All its kinds are read once: the API server opens their storage for the first who asks, and refuses that one; when it is
    the server's own removal of a CRD, it is not tried again for minutes.
    """
    crds = admin.run("get", "crds", "-o", "name").split()
    kinds = [name.partition("/")[2] for name in crds if name.endswith(".kueue.x-k8s.io")]
    admin.run("get", ",".join(kinds), "--all-namespaces", "-o", "name")
    wait_for(
        lambda: admin.run("get", "workloads.kueue.x-k8s.io", "--all-namespaces", "-o", "name", "--ignore-not-found"),
        lambda names: not names.strip(),
        what="all Workloads of Kueue to be gone",
        timeout=90,
    )
    admin.run("delete", "clusterqueues,resourceflavors", "--all", "--timeout=60s", timeout=70)
