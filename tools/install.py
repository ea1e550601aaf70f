"""Bring the operator into a cluster: build and load the images, apply the manifests, wait until it answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import yaml

import cluster
import images
from tools.kubectl import Kubectl
from tools.prepare import prepare

OPERATOR_NAMESPACE = "trainingrun-system"
OPERATOR = "trainingrun-operator"
"""Its Deployment, its service account, and what its pods are labelled with."""

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
    environment: Mapping[str, str] | None = None,
    patience: float = 1.0,
    say: Say = print,
) -> Installation:
    """Start the cluster if it does not run, and install the operator that this checkout builds.

    `pushed` names images that the cluster can pull (`images.names`): then nothing is built and loaded. `environment` is added
    to that of the Deployment. Every deadline is multiplied by `patience`. Calling it again is cheap: what has not changed is
    neither built nor loaded again.
    """
    began = datetime.now(UTC).isoformat()
    say("cluster")
    prepare(backend, with_images=pushed is None)
    backend.up()
    kubectl = Kubectl(binary=backend.kubectl(), kubeconfig=backend.kubeconfig(), patience=patience)
    references = pushed or {name: _load(backend, name, say=say) for name in ("operator", "trainer")}
    say("operator")
    kubectl.run("apply", "-f", "-", stdin=changed(images.render(references), environment=environment or {}, patience=patience))
    kubectl.within(OPERATOR_NAMESPACE).run(*("rollout", "status", f"deployment/{OPERATOR}", "--timeout=180s"), timeout=190)
    return Installation(kubectl=kubectl, cluster=backend, trainer_image=references["trainer"], began=began)


def changed(manifests: str, *, environment: Mapping[str, str], patience: float) -> str:
    """The manifests with these variables in the operator's Deployment, whose probes may take so many times as long."""
    if not environment and patience == 1:
        return manifests
    documents = list(yaml.safe_load_all(manifests))
    (deployment,) = (document for document in documents if document["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    container["env"] += [{"name": name, "value": value} for name, value in environment.items()]
    for probe in (container["readinessProbe"], container["livenessProbe"]):
        probe["timeoutSeconds"] = round(probe.get("timeoutSeconds", 1) * patience)
    return str(yaml.safe_dump_all(documents))


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
