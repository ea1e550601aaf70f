"""TrainingRun manifests for tests: a small valid one, and changes to it by path."""

import copy
from typing import Any

Manifest = dict[str, Any]

EVERY_FIELD: Manifest = {
    "replicas": 2,
    "processesPerWorker": 2,
    "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"cpu": 2, "memory": "2Gi"}},
    "sharedMemory": "1Gi",
    "scratch": "5G",
    "terminationGracePeriodSeconds": 90,
    "imagePullPolicy": "IfNotPresent",
    "imagePullSecrets": [{"name": "registry"}],
    "serviceAccountName": "default",
    "env": [
        {"name": "NCCL_DEBUG", "value": "INFO"},
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "token", "key": ".token"}}},
        {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        {"name": "LEVEL", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "log.level"}}},
    ],
    "volumes": [
        {
            "name": "output",
            "mountPath": "/mnt/embeddings",
            "readOnly": True,
            "persistentVolumeClaim": {"claimName": "datasets"},
        },
        {"name": "token", "mountPath": "/mnt/token", "secret": {"secretName": "token"}},
        {"name": "labels", "mountPath": "/home/user/labels", "configMap": {"name": "labels"}},
    ],
    "nodeSelector": {"topology.kubernetes.io/zone": "a", "gpu": ""},
    "tolerations": [
        {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"},
        {"key": "team", "value": "vision", "effect": "NoExecute", "tolerationSeconds": 60},
        {"operator": "Exists"},
    ],
    "labels": {"cost-centre": "vision"},
    "annotations": {"karpenter.sh/do-not-disrupt": "true"},
    "securityContext": {"runAsUser": 2000, "runAsGroup": 2001, "fsGroup": 2002, "supplementalGroups": [2003]},
    "schedulerName": "my-scheduler",
    "network": {"egress": "Cluster", "metadataServer": "Allow"},
}
"""`spec.workers` with every field that needs nothing in the cluster: no classes."""


def a_manifest(name: str = "sample", **changes: Any) -> Manifest:
    """A valid TrainingRun on the data set in the image; `changes` are paths such as `spec__training__epochs=3`.

    A value of None removes the field.
    """
    manifest: Manifest = {
        "apiVersion": "trainingrun.dev/v1alpha1",
        "kind": "TrainingRun",
        "metadata": {"name": name},
        "spec": {
            "data": {"source": {"builtin": "MNIST10k"}},
            "model": {"builtin": {"type": "MLP"}},
            "training": {"epochs": 2},
            "output": {"persistentVolumeClaim": {"claimName": "models"}},
        },
    }
    for path, value in changes.items():
        _set(manifest, path.split("__"), value)
    return manifest


def _set(target: Manifest, path: list[str], value: Any) -> None:
    for part in path[:-1]:
        target = target.setdefault(part, {})
    if value is None:
        target.pop(path[-1], None)
    else:
        target[path[-1]] = copy.deepcopy(value)
