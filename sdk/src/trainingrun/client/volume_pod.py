"""A short-lived pod with a claim mounted, through which files come and go. It works on any cluster."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from trainingrun.client.errors import NotFoundError, ReportError, UnreachableError, WaitTimeoutError
from trainingrun.client.port import EVENT, POD, REVIEW, Cluster, Object
from trainingrun.client.watching import changes

MOUNT = "/volume"
LABEL = "trainingrun.dev/volume-pod"
_LIFE_SECONDS = 3600
"""After which the kubelet ends a pod that nobody has deleted."""
_START_SECONDS = 120.0


@contextmanager
def volume_pod(
    cluster: Cluster,
    *,
    claim: str,
    image: str,
    namespace: str | None = None,
    is_writer: bool = False,
    owner: Object | None = None,
) -> Iterator[str]:
    """The name of a running pod with the claim at `MOUNT`, read-only unless `is_writer`; it is deleted afterwards.

    Its name is its own, so several people copy at once. With `owner`, a run, it goes with the run. Raises ReportError when the
    user may not make such a pod, and WaitTimeoutError when it does not start within two minutes, with what its Events say.
    """
    _ask(cluster, namespace=namespace)
    name = f"trainingrun-volume-{secrets.token_hex(4)}"
    cluster.create(POD, _manifest(name, claim=claim, image=image, is_writer=is_writer, owner=owner), namespace=namespace)
    try:
        _wait(cluster, name, namespace=namespace)
        yield name
    finally:
        with suppress(NotFoundError, UnreachableError):
            cluster.delete(POD, name, namespace=namespace, grace_seconds=0)


def _ask(cluster: Cluster, *, namespace: str | None) -> None:
    where = namespace or cluster.namespace
    missing = [
        f"{verb} {resource}{f'/{part}' if part else ''}"
        for verb, resource, part in (("create", "pods", ""), ("delete", "pods", ""), ("create", "pods", "exec"))
        if not may(cluster, verb, resource, part=part, namespace=where)
    ]
    if missing:
        raise ReportError(
            f"Files of a claim are read through a pod, and you may not {', '.join(missing)} in namespace {where}: ask who "
            "administers it for these rights, or for the files."
        )


def may(cluster: Cluster, verb: str, resource: str, *, part: str = "", group: str = "", namespace: str | None = None) -> bool:
    """Whether the user may do this: asked of the API server, as `kubectl auth can-i` does. `part` is a subresource."""
    asked = {"verb": verb, "group": group, "resource": resource, **({"subresource": part} if part else {})}
    scope = {"namespace": namespace} if namespace is not None else {}
    answer = cluster.create(REVIEW, {"spec": {"resourceAttributes": {**asked, **scope}}})
    return bool(answer["status"].get("allowed"))


def _wait(cluster: Cluster, name: str, *, namespace: str | None) -> None:
    for change in changes(cluster, POD, namespace=namespace, name=name, patience=_START_SECONDS, at_most=_START_SECONDS):
        status = change.found.get("status", {})
        if change.is_gone or status.get("phase") in ("Failed", "Succeeded"):
            raise WaitTimeoutError(
                f"The pod {name} has ended before it was used: {status.get('message', 'somebody deleted it')}."
            )
        if any(each["type"] == "Ready" and each["status"] == "True" for each in status.get("conditions", [])):
            return
    said = [
        each.get("message", "")
        for each in cluster.list(EVENT, namespace=namespace, fields={"involvedObject.name": name}).items
        if each.get("type") == "Warning"
    ]
    why = f" Its newest Event: {said[-1]}" if said else " The claim may be bound to a node that is busy, or to none."
    raise WaitTimeoutError(
        f"The pod {name}, through which files are copied, has not started within {_START_SECONDS:.0f} s.{why}"
    )


def _manifest(name: str, *, claim: str, image: str, is_writer: bool, owner: Object | None) -> dict[str, Any]:
    """A pod that waits; it meets the Pod Security level "restricted", and gets little."""
    resources = {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}}
    return {
        "metadata": {"name": name, "labels": {LABEL: "true"}, **({"ownerReferences": [_owned_by(owner)]} if owner else {})},
        "spec": {
            "restartPolicy": "Never",
            "activeDeadlineSeconds": _LIFE_SECONDS,
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
                    "resources": resources,
                    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                    "volumeMounts": [{"name": "volume", "mountPath": MOUNT, "readOnly": not is_writer}],
                }
            ],
            "volumes": [{"name": "volume", "persistentVolumeClaim": {"claimName": claim}}],
        },
    }


def _owned_by(run: Object) -> Object:
    metadata = run["metadata"]
    return {"apiVersion": run["apiVersion"], "kind": run["kind"], "name": metadata["name"], "uid": metadata["uid"]}
