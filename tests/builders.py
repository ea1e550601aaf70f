"""Worlds for tests: runs, pods and children as the API server returns them, in a few words."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.manifests import a_manifest
from trainingrun.api import TrainingRun
from trainingrun.api.base import to_wire
from trainingrun.contract import FinalRecord
from trainingrun_operator.config import OperatorConfig

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
UID = "11111111-2222-3333-4444-555555555555"
CONFIG = OperatorConfig(trainer_image="trainer:1", namespace="trainingrun-system", seed=b"seed")

Raw = dict[str, Any]


def a_run(name: str = "mnist", *, workers: int = 2, status: Raw | None = None, uid: str = UID, **changes: Any) -> TrainingRun:
    """A run with its identity; `changes` as in `a_manifest`."""
    manifest = a_manifest(name, **{"spec__workers": {"replicas": workers}, **changes})
    manifest["metadata"] |= {"namespace": "team", "uid": uid, "generation": 1, "creationTimestamp": stamp(NOON)}
    return TrainingRun.parse({**manifest, **({"status": status} if status is not None else {})})


def an_active_run(*, attempt: int = 1, workers: int = 2, status: Raw | None = None, **changes: Any) -> TrainingRun:
    """A run whose attempt has been created a minute ago."""
    started = NOON - timedelta(minutes=1)
    base = {
        "attempt": attempt,
        "startTime": stamp(started),
        "clock": {"activeSeconds": 0, "runningSince": stamp(started)},
        "timeline": {"created": stamp(started)},
        "resolved": {
            "image": "trainer:1",
            "strategy": "Horovod" if workers > 1 else "Single",
            "replicas": workers,
            "processesPerWorker": 1,
            "globalBatchSize": 64 * workers,
            "coordinator": "10.96.0.9" if workers > 1 else None,
        },
    }
    return a_run(workers=workers, status={**base, **(status or {})}, **changes)


def children(run: TrainingRun, *, attempt: int = 1, without: tuple[str, ...] = (), failed_indexes: str = "") -> list[Raw]:
    """All children of an attempt as they are once they have been created."""
    kinds = (
        ["Service", "ConfigMap", "NetworkPolicy", "Job"]
        if run.spec.workers.replicas > 1
        else ["ConfigMap", "NetworkPolicy", "Job"]
    )
    made = [a_child(kind, run, attempt=attempt) for kind in kinds if kind not in without]
    for child in made:
        if child["kind"] == "Job" and failed_indexes:
            child["status"]["failedIndexes"] = failed_indexes
    return made


def a_child(kind: str, run: TrainingRun, *, attempt: int = 1, owner_uid: str | None = None) -> Raw:
    """One child of a run."""
    owner = {"kind": "TrainingRun", "name": run.metadata.name, "uid": owner_uid or run.metadata.uid, "controller": True}
    return {
        "kind": kind,
        "metadata": {
            "name": f"{run.metadata.name}-{attempt}",
            "namespace": "team",
            "uid": f"{kind}-{attempt}",
            "labels": {"trainingrun.dev/attempt": str(attempt)},
            "ownerReferences": [owner],
            "creationTimestamp": stamp(NOON - timedelta(minutes=1)),
        },
        "spec": {"clusterIP": "10.96.0.9"} if kind == "Service" else {},
        "status": {},
    }


def a_pod(index: int = 0, *, attempt: int = 1, uid: str = UID, phase: str = "Running", ready: bool = True, **parts: Any) -> Raw:
    """A pod of worker `index`. `parts`: terminated, waiting (container states), conditions, node, deleting."""
    state: Raw = {"running": {"startedAt": stamp(NOON - timedelta(seconds=50))}}
    if "waiting" in parts:
        state = {"waiting": parts["waiting"]}
    if "terminated" in parts:
        state = {
            "terminated": {"startedAt": stamp(NOON - timedelta(seconds=50)), "finishedAt": stamp(NOON), **parts["terminated"]}
        }
    conditions = [
        {"type": "PodScheduled", "status": "True", "lastTransitionTime": stamp(NOON - timedelta(seconds=55))},
        {"type": "Ready", "status": str(ready and phase == "Running")},
    ]
    return {
        "metadata": {
            "name": f"mnist-{attempt}-{index}",
            "uid": f"pod-{attempt}-{index}",
            "labels": {
                "trainingrun.dev/run-uid": uid,
                "trainingrun.dev/attempt": str(attempt),
                "batch.kubernetes.io/job-completion-index": str(index),
            },
            "ownerReferences": [
                {
                    "kind": "Job",
                    "name": f"mnist-{attempt}",
                    "uid": f"Job-{attempt}" if uid == UID else f"Job-{attempt}-of-{uid}",
                    "controller": True,
                }
            ],
            **({"deletionTimestamp": stamp(NOON)} if parts.get("deleting") else {}),
        },
        "spec": {"nodeName": parts.get("node", "node-1")},
        "status": {
            "phase": phase,
            "podIP": f"10.244.0.{index + 2}",
            "conditions": parts.get("conditions", conditions),
            "containerStatuses": [{"name": "trainer", "state": state}],
        },
    }


def a_failed_pod(index: int = 0, *, code: int, reason: str = "Error", record: FinalRecord | None = None, **parts: Any) -> Raw:
    """A pod whose container has ended with this code, and left this record."""
    message = json.dumps(to_wire(record)) if record is not None else ""
    terminated = {"exitCode": code, "reason": reason, "message": message}
    return a_pod(index, **{"phase": "Failed", **parts}, terminated=terminated)


def a_finished_pod(index: int = 0, *, record: FinalRecord | None = None, attempt: int = 1) -> Raw:
    """A pod that has succeeded."""
    message = json.dumps(to_wire(record)) if record is not None else ""
    terminated = {"exitCode": 0, "reason": "Completed", "message": message}
    return a_pod(index, attempt=attempt, phase="Succeeded", terminated=terminated)


def a_record(*, code: int, worker: int = 0, attempt: int = 1, **parts: Any) -> FinalRecord:
    """A worker's last word."""
    return FinalRecord(attempt=attempt, worker=worker, exit_code=code, **parts)


def a_claim(name: str = "models", *, modes: tuple[str, ...] = ("ReadWriteOnce",)) -> Raw:
    """A PersistentVolumeClaim."""
    return {"metadata": {"name": name}, "spec": {"accessModes": list(modes)}}


def stamp(moment: datetime) -> str:
    """A moment as Kubernetes writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
