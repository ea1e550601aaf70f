"""Bring the operator into a cluster: build and load the images, apply the manifests, wait until it answers."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import cluster
import images
from tools.kubectl import Kubectl
from tools.prepare import prepare

OPERATOR_NAMESPACE = "trainingrun-system"
OPERATOR = "trainingrun-operator"
"""Its Deployment, its service account, and what its pods are labelled with."""
PROBE_SECONDS = {"readinessProbe": 1, "livenessProbe": 5}
"""How long each of its probes may take in the manifests."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Installation:
    """A running cluster with the operator in it."""

    kubectl: Kubectl
    cluster: cluster.Cluster
    trainer_image: str
    began: str
    """When this installation began, in UTC, as the API server writes moments."""


def install(
    backend: cluster.Cluster,
    *,
    pushed: dict[str, str] | None = None,
    settings: Mapping[str, str] | None = None,
    patience: float = 1.0,
    say: Say = print,
) -> Installation:
    """Start the cluster if it does not run, and install the operator that this checkout builds.

    `pushed` names images that the cluster can pull (`images.names`): then nothing is built and loaded. `settings` are added
    to those of the operator. Every deadline is multiplied by `patience`. Calling it again is cheap: what has not changed is
    neither built nor loaded again.
    """
    began = datetime.now(UTC).isoformat()
    say("cluster")
    prepare(backend, with_images=pushed is None)
    backend.up()
    kubectl = Kubectl(binary=backend.kubectl(), kubeconfig=backend.kubeconfig(), patience=patience)
    references = pushed or {name: _load(backend, name, say=say) for name in ("operator", "trainer")}
    say("operator")
    rendered = images.render(references, kubectl=kubectl.binary, settings=settings, patches=probes(patience))
    kubectl.run("apply", "-f", "-", stdin=rendered)
    kubectl.within(OPERATOR_NAMESPACE).run(*("rollout", "status", f"deployment/{OPERATOR}", "--timeout=180s"), timeout=190)
    return Installation(kubectl=kubectl, cluster=backend, trainer_image=references["trainer"], began=began)


def probes(patience: float) -> list[dict[str, Any]]:
    """What lets the probes of the operator take so many times as long: patches of kustomize."""
    if patience == 1:
        return []
    path = "/spec/template/spec/containers/0"
    changes = [
        {"op": "add", "path": f"{path}/{probe}/timeoutSeconds", "value": round(seconds * patience)}
        for probe, seconds in PROBE_SECONDS.items()
    ]
    return [{"target": {"kind": "Deployment", "name": OPERATOR}, "patch": json.dumps(changes)}]


def _load(backend: cluster.Cluster, name: str, *, say: Say) -> str:
    say(f"{name} image")
    archive = images.build(name)
    backend.load(archive.path)
    return archive.reference


def make_namespace(kubectl: Kubectl, name: str) -> Kubectl:
    """Create a namespace under Pod Security `restricted`, if it does not exist, and return kubectl within it."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    kubectl.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    return kubectl.within(name)
