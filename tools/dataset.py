"""Copy a local folder into a PersistentVolumeClaim, through a short-lived pod: works on any cluster."""

import io
import tarfile
from pathlib import Path
from typing import Any

from tools.kubectl import Kubectl

_POD = "trainingrun-copy"


def upload(kubectl: Kubectl, folder: Path, *, claim: str, path: str, image: str) -> None:
    """Put the files of `folder` at `path` of the claim; files of the same name are replaced.

    Raises KubectlError when the pod does not start within two minutes or the copy fails.
    """
    kubectl.delete("pod", _POD)
    kubectl.apply(_copy_pod(claim=claim, image=image))
    try:
        kubectl.run("wait", "--for=condition=Ready", f"pod/{_POD}", "--timeout=120s", timeout=130)
        kubectl.run(*("exec", "-i", _POD, "--", "python3", "-c", _UNPACK, f"/volume/{path}"), stdin=_tar(folder), timeout=120)
    finally:
        kubectl.run("delete", "pod", _POD, "--ignore-not-found", "--grace-period=0", "--wait=true", timeout=90)


_UNPACK = "import sys, tarfile; tarfile.open(fileobj=sys.stdin.buffer, mode='r|').extractall(sys.argv[1])"


def _tar(folder: Path) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            archive.add(file, arcname=str(file.relative_to(folder)))
    return packed.getvalue()


def _copy_pod(*, claim: str, image: str) -> dict[str, Any]:
    """A pod that waits, with the claim mounted; it meets the Pod Security level "restricted"."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": _POD},
        "spec": {
            "restartPolicy": "Never",
            "activeDeadlineSeconds": 600,
            "automountServiceAccountToken": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 1000,
                "runAsGroup": 1000,
                "fsGroup": 1000,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "copy",
                    "image": image,
                    "command": ["python3", "-c", "import signal; signal.sigwait([signal.SIGTERM])"],
                    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                    "volumeMounts": [{"name": "volume", "mountPath": "/volume"}],
                }
            ],
            "volumes": [{"name": "volume", "persistentVolumeClaim": {"claimName": claim}}],
        },
    }
