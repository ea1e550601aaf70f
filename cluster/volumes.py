"""PersistentVolumes of the embedded cluster: folders of the machine, each reserved for one claim."""

from typing import Any

from cluster.api import Api
from cluster.layout import Layout


def ensure(layout: Layout, api: Api, *, claim: str, namespace: str, size: str) -> None:
    """Make a `local` volume for a claim, which may not exist yet; its contents survive when the claim is made again.

    The claim must name no storage class, and may ask for ReadWriteOnce or ReadWriteMany and at most `size`.
    """
    name = f"{namespace}-{claim}"
    folder = layout.volumes / name
    folder.mkdir(parents=True, exist_ok=True)
    api.apply(f"/api/v1/persistentvolumes/{name}", _volume(layout, name=name, claim=claim, namespace=namespace, size=size))
    bound = api.get(f"/api/v1/persistentvolumes/{name}") or {}
    if bound.get("status", {}).get("phase") == "Released":
        # The claim was deleted: forget its UID, so that the next claim of this name is bound again.
        api.merge(f"/api/v1/persistentvolumes/{name}", {"spec": {"claimRef": {"uid": None, "resourceVersion": None}}})


def _volume(layout: Layout, *, name: str, claim: str, namespace: str, size: str) -> dict[str, Any]:
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [layout.node_name]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": size},
            "accessModes": ["ReadWriteOnce", "ReadWriteMany"],
            "persistentVolumeReclaimPolicy": "Retain",
            "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": claim, "namespace": namespace},
            "local": {"path": str(layout.volumes / name)},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
        },
    }
