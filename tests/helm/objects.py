"""Objects of the chart and of kustomize, made alike where they differ on purpose."""

from typing import Any

import yaml

Raw = dict[str, Any]
Identity = tuple[str, str, str]

SETTINGS = "trainingrun-operator-settings"
OF_HELM = {"app.kubernetes.io/managed-by", "app.kubernetes.io/version", "helm.sh/chart"}
"""Labels that say which release an object belongs to: only Helm has those."""
NAME = "app.kubernetes.io/name"


def of_kustomize(text: str) -> dict[Identity, Raw]:
    """What `kubectl kustomize` has printed, by kind, namespace and name; the namespace itself is not Helm's to bring."""
    return {key: each for key, each in _objects(text).items() if key[0] != "Namespace"}


def of_chart(text: str) -> dict[Identity, Raw]:
    """What `helm template` has printed, likewise."""
    return _objects(text)


def _objects(text: str) -> dict[Identity, Raw]:
    return {_identity(each): each for each in map(_alike, filter(None, yaml.load_all(text, yaml.CSafeLoader)))}


def _identity(found: Raw) -> Identity:
    metadata = found["metadata"]
    return found["kind"], metadata.get("namespace", ""), metadata["name"]


def _alike(found: Raw) -> Raw:
    """The object without what tells a change of settings, which release it is of, and what Helm keeps."""
    metadata = found["metadata"]
    metadata["labels"] = {
        name: value for name, value in (metadata.get("labels") or {}).items() if name not in OF_HELM and name != NAME
    }
    kept = {name: value for name, value in (metadata.pop("annotations", None) or {}).items() if not name.startswith("helm.sh/")}
    if kept:
        metadata["annotations"] = kept
    if found["kind"] == "ConfigMap" and metadata["name"].startswith(f"{SETTINGS}-"):
        metadata["name"] = SETTINGS
    if found["kind"] == "Deployment":
        template = found["spec"]["template"]
        template["metadata"].pop("annotations", None)
        for container in template["spec"]["containers"]:
            for source in container["envFrom"]:
                source["configMapRef"]["name"] = SETTINGS
    return found
