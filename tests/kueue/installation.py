"""A real Kueue for tests: built from its Go module, installed with the manifests of that module, as a pod of the cluster."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cluster
from cluster.binaries import GoModule, ensure_extra
from cluster.images import single_program_image
from tests.waiting import wait_for
from tools.kubectl import Kubectl

NAMESPACE = "kueue-system"

_MODULE = GoModule("kueue", ("sigs.k8s.io/kueue/cmd/kueue",), source=Path(__file__).parent / "go")
_IMAGE, _TAG = "docker.io/library/kueue", "test"
_PLACEHOLDER = "us-central1-docker.pkg.dev/k8s-staging-images/kueue/kueue"
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
def kueue(backend: cluster.Cluster, admin: Kubectl) -> Iterator[None]:
    """Kueue is there while the context lasts; building it takes some minutes the first time.

    Nothing of it may stay: its webhooks would refuse every Job of the cluster.
    """
    _load(backend)
    manifests = _render(admin)
    admin.run("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=manifests, timeout=120)
    try:
        admin.within(NAMESPACE).run(
            *("rollout", "status", "deployment/kueue-controller-manager", "--timeout=180s"), timeout=190
        )
        yield
    finally:
        _remove_what_only_it_can(admin)
        admin.run("delete", "--ignore-not-found", "--timeout=120s", "-f", "-", stdin=manifests, timeout=130)


def _load(backend: cluster.Cluster) -> None:
    program = ensure_extra(_MODULE, cache=cluster.cache_folder())["kueue"]
    archive = program.parent.with_suffix(".tar")
    if not archive.exists():
        archive.write_bytes(single_program_image(program, reference=f"{_IMAGE}:{_TAG}"))
    backend.load(archive)


def _render(admin: Kubectl) -> str:
    """Kueue's default manifests with our image, but for two things.

    It elects no leader, which a busy machine makes it lose. And its API of pending workloads is left out: while the server of
    such an API is away, no namespace can be deleted.
    """
    module = subprocess.run(
        ["go", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/kueue"],
        cwd=_MODULE.folder,
        env={**os.environ, "GOFLAGS": "-mod=mod"},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    with tempfile.TemporaryDirectory() as folder:
        overlay: dict[str, Any] = {
            "resources": [os.path.relpath(f"{module}/config/default", start=folder)],
            "images": [{"name": _PLACEHOLDER, "newName": _IMAGE, "newTag": _TAG}],
            "patches": [_patch("apps/v1", "Deployment", "kueue-controller-manager", _CONTAINER), _without_election(module)]
            + [_removed(f"{version}.visibility.kueue.x-k8s.io") for version in ("v1beta1", "v1beta2")],
        }
        (Path(folder) / "kustomization.yaml").write_text(json.dumps(overlay))
        return admin.run("kustomize", folder)


def _patch(version: str, kind: str, name: str, container: dict[str, Any]) -> dict[str, str]:
    metadata = {"name": name, "namespace": NAMESPACE}
    spec = {"template": {"spec": {"containers": [container]}}}
    return {"patch": json.dumps({"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec})}


def _without_election(module: str) -> dict[str, str]:
    name = "controller_manager_config.yaml"
    text = (Path(module) / "config" / "components" / "manager" / name).read_text()
    changed = text.replace("leaderElect: true", "leaderElect: false")
    assert changed != text, "Kueue's configuration elects a leader"
    metadata = {"name": "kueue-manager-config", "namespace": NAMESPACE}
    return {"patch": json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {name: changed}})}


def _removed(name: str) -> dict[str, str]:
    identity = {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": name}}
    return {"patch": json.dumps({**identity, "$patch": "delete"})}


def _remove_what_only_it_can(admin: Kubectl) -> None:
    """Workloads and queues have a finalizer."""
    wait_for(
        lambda: admin.run("get", "workloads.kueue.x-k8s.io", "--all-namespaces", "-o", "name", "--ignore-not-found"),
        lambda names: not names.strip(),
        what="all Workloads of Kueue to be gone",
        timeout=90,
    )
    admin.run("delete", "clusterqueues,resourceflavors", "--all", "--timeout=60s", timeout=70)
