"""The MPI operator, built from its Go module and installed with that module's manifests, as a pod of the cluster."""

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import cluster
from cluster.binaries import GoModule, ensure_extra
from cluster.images import single_program_image
from tools.kubectl import Kubectl

NAMESPACE = "mpi-operator"

_PATH = "github.com/kubeflow/mpi-operator"
_MODULE = GoModule("mpi-operator", (f"{_PATH}/cmd/mpi-operator",), source=Path(__file__).parent / "go")
_IMAGE, _TAG = "docker.io/library/mpi-operator", "bench"


def install(backend: cluster.Cluster, admin: Kubectl) -> None:
    """Build it, which takes some minutes the first time, load it, and wait until it runs."""
    program = ensure_extra(_MODULE, cache=cluster.cache_folder())["mpi-operator"]
    archive = program.parent.with_suffix(".tar")
    if not archive.exists():
        archive.write_bytes(single_program_image(program, reference=f"{_IMAGE}:{_TAG}"))
    backend.load(archive)
    # Its CRD is too long for a client-side apply.
    admin.run("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=_render(admin), timeout=120)
    admin.within(NAMESPACE).run("rollout", "status", "deployment/mpi-operator", "--timeout=120s", timeout=130)


def _render(admin: Kubectl) -> str:
    """Its standalone manifests with our image, which has the program at its root."""
    with tempfile.TemporaryDirectory() as folder:
        overlay: dict[str, Any] = {
            "resources": [os.path.relpath(_manifests(), start=folder)],
            "images": [{"name": "mpioperator/mpi-operator", "newName": _IMAGE, "newTag": _TAG}],
        }
        (Path(folder) / "kustomization.yaml").write_text(json.dumps(overlay))
        return admin.run("kustomize", folder)


def _manifests() -> str:
    command = ["go", "list", "-m", "-f", "{{.Dir}}", _PATH]
    environment = {**os.environ, "GOFLAGS": "-mod=mod"}
    found = subprocess.run(command, cwd=_MODULE.folder, env=environment, check=True, capture_output=True, text=True)
    return f"{found.stdout.strip()}/manifests/overlays/standalone"
