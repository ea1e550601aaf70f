"""The runs that are recorded, each by what is special about it."""

from typing import Any

from tests.manifests import a_manifest
from tools.kubectl import Kubectl

LIVES = (
    "good-new",
    "good-starting",
    "good-training",
    "good-succeeded",
    "early-held",
    "bad-data-failed",
    "no-claim-waiting",
    "no-claim-stalled",
    "no-image-restarting",
    "no-image-failed",
    "paused-outdated",
    "paused-stopping",
    "paused-suspended",
    "shipped-tuning",
    "shipped-succeeded",
    "too-strict-failed",
)
"""What must be seen and is written, as `<run>-<life>`."""

_WORKERS = {"resources": {"requests": {"cpu": "50m", "memory": "600Mi"}, "limits": {"memory": "2Gi"}}}
_NOWHERE = {"source": {"persistentVolumeClaim": {"claimName": "models", "path": "nowhere"}}, "format": "NPZ"}
_WIDTHS = {"name": "model.parameters.hiddenUnits", "categorical": [[64], [128]]}

_RUNS: dict[str, dict[str, Any]] = {
    "good": {"spec__workers": {"replicas": 2, **_WORKERS}, "spec__training": {"epochs": 20}},
    "early": {"spec__suspend": True},
    "bad-data": {"spec__data": _NOWHERE},
    "no-claim": {
        "spec__output": {"persistentVolumeClaim": {"claimName": "missing"}},
        "spec__recovery": {"startTimeoutSeconds": 10},
    },
    "no-image": {
        "spec__image": "registry.invalid/trainer:none",
        "spec__recovery": {"startTimeoutSeconds": 10, "maximumRestarts": 1},
    },
    "paused": {"spec__training": {"epochs": 1000}},
    "shipped": {
        "spec__data__testFraction": 0.1,
        "spec__tuning": {"trials": 4, "epochsPerTrial": 2, "parameters": [_WIDTHS]},
        "spec__compression": {"pruning": {"epochs": 4}, "quantization": {"mode": "Int8"}},
        "spec__acceptance": {"minimum": 0.8, "maximumDegradation": 0.1},
    },
    "too-strict": {
        "spec__compression": {"quantization": {"mode": "Int8"}},
        "spec__acceptance": {"minimum": 1, "maximumGzippedBytes": 1000},
    },
}

CLAIMS: tuple[dict[str, Any], ...] = (
    {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "models"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    },
)


def start(kubectl: Kubectl, name: str) -> None:
    """Apply one of the runs."""
    kubectl.apply(a_manifest(name, **{"spec__workers": _WORKERS, **_RUNS[name]}))


def suspend(kubectl: Kubectl, name: str) -> None:
    """Ask a run to pause."""
    kubectl.run("patch", "trun", name, "--type=merge", "-p", '{"spec":{"suspend":true}}')
