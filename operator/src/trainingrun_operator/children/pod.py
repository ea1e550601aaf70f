"""The pod of a worker. It meets the Pod Security level `restricted`, and no field of the API can make it otherwise."""

from trainingrun.api import Resolved, TrainingRun
from trainingrun.api.base import to_wire
from trainingrun.contract import (
    CONFIG_FILE,
    CONFIG_MOUNT,
    CONFIG_VARIABLE,
    COORDINATOR_VARIABLE,
    DATA_MOUNT,
    OUTPUT_MOUNT,
    PROGRESS_PORT,
    RENDEZVOUS_PORT,
)
from trainingrun_operator import names
from trainingrun_operator.children.metadata import labels, selector
from trainingrun_operator.model import Manifest

USER = 1000
GRACE_SECONDS = 30
LOST_NODE_SECONDS = 30
SCRATCH_LIMIT = "10Gi"


def pod_template(run: TrainingRun, *, attempt: int, resolved: Resolved, same_node: bool) -> Manifest:
    """The template that all workers of an attempt share; the Job tells each its index."""
    spec: Manifest = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "tolerations": [
            {
                "key": f"node.kubernetes.io/{trouble}",
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": LOST_NODE_SECONDS,
            }
            for trouble in ("not-ready", "unreachable")
        ],
        "containers": [_container(run, resolved=resolved)],
        "volumes": _volumes(run, attempt=attempt),
    }
    if same_node:
        spec["affinity"] = _same_node(run, attempt=attempt)
    return {"metadata": {"labels": labels(run, attempt=attempt)}, "spec": spec}


def _container(run: TrainingRun, *, resolved: Resolved) -> Manifest:
    environment = [{"name": CONFIG_VARIABLE, "value": f"{CONFIG_MOUNT}/{CONFIG_FILE}"}]
    if resolved.coordinator:
        environment.append({"name": COORDINATOR_VARIABLE, "value": f"{resolved.coordinator}:{RENDEZVOUS_PORT}"})
    mounts = [
        {"name": "config", "mountPath": CONFIG_MOUNT, "readOnly": True},
        {"name": "scratch", "mountPath": "/tmp"},
        {"name": "output", "mountPath": OUTPUT_MOUNT},
    ]
    if run.spec.data.source.persistent_volume_claim is not None:
        mounts.append({"name": "data", "mountPath": DATA_MOUNT, "readOnly": True})
    return {
        "name": names.CONTAINER,
        "image": resolved.image,
        "env": environment,
        "resources": to_wire(run.spec.workers.resources),
        "ports": [
            {"name": "rendezvous", "containerPort": RENDEZVOUS_PORT},
            {"name": "progress", "containerPort": PROGRESS_PORT},
        ],
        # Ready means that all ranks have met; asked often, because the run's start is timed by it.
        "readinessProbe": {
            "httpGet": {"path": "/readyz", "port": PROGRESS_PORT},
            "periodSeconds": 1,
            "timeoutSeconds": 5,
            "failureThreshold": 1,
        },
        "terminationMessagePolicy": "File",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": mounts,
    }


def _volumes(run: TrainingRun, *, attempt: int) -> list[Manifest]:
    """Configuration, scratch, output and data. Data and output may be the same claim."""
    output = run.spec.output.persistent_volume_claim
    volumes: list[Manifest] = [
        {"name": "config", "configMap": {"name": names.child_name(run.metadata.name, attempt)}},
        {"name": "scratch", "emptyDir": {"sizeLimit": SCRATCH_LIMIT}},
        {"name": "output", "persistentVolumeClaim": {"claimName": output.claim_name}},
    ]
    data = run.spec.data.source.persistent_volume_claim
    if data is not None:
        # Read-only at the mount, not here: a volume that is read-only in one pod entry is so for a shared claim as a whole.
        volumes.append({"name": "data", "persistentVolumeClaim": {"claimName": data.claim_name}})
    return volumes


def _same_node(run: TrainingRun, *, attempt: int) -> Manifest:
    """All workers where the first one went: another node could not mount a ReadWriteOnce volume."""
    term = {
        "topologyKey": "kubernetes.io/hostname",
        "labelSelector": {"matchLabels": selector(run, attempt=attempt)},
    }
    return {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
