"""A short-lived pod with a claim mounted, through which files come and go: works on any cluster."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tools.kubectl import Kubectl

MOUNT = "/volume"


@contextmanager
def copy_pod(kubectl: Kubectl, *, name: str, claim: str, image: str) -> Iterator[str]:
    """The name of a running pod with the claim at `MOUNT`; it is deleted afterwards, and ends by itself after ten minutes.

    Raises KubectlError when the pod does not start within two minutes.
    """
    kubectl.delete("pod", name)
    kubectl.apply(_manifest(name, claim=claim, image=image))
    try:
        kubectl.run("wait", "--for=condition=Ready", f"pod/{name}", "--timeout=120s", timeout=130)
        yield name
    finally:
        kubectl.run("delete", "pod", name, "--ignore-not-found", "--grace-period=0", "--wait=true", timeout=90)


def _manifest(name: str, *, claim: str, image: str) -> dict[str, Any]:
    """A pod that waits; it meets the Pod Security level "restricted"."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
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
                    "volumeMounts": [{"name": "volume", "mountPath": MOUNT}],
                }
            ],
            "volumes": [{"name": "volume", "persistentVolumeClaim": {"claimName": claim}}],
        },
    }
