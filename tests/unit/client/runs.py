"""Runs as the API server returns them, in a few words."""

from typing import Any

from tests.builders import NOON, stamp
from tests.manifests import a_manifest

Object = dict[str, Any]


def a_run(name: str = "digits", *, state: str = "Running", attempt: int = 1, **status: Any) -> Object:
    """A run in a state; `status` is added to what follows from it."""
    ended = {"Succeeded": "True", "Failed": "False"}.get(state, "Unknown")
    conditions = [a_condition("Succeeded", ended, reason=status.get("reason", state))]
    if ended == "Unknown":
        conditions.append(
            a_condition("Reconciling", "True", reason=status.get("reason", state), message=status.get("message", ""))
        )
    rest = {key: value for key, value in status.items() if key not in ("reason", "message")}
    made = {
        "conditions": conditions,
        "columns": {"status": state},
        "stage": "Training",
        "attempt": attempt,
        "observedGeneration": 1,
    }
    return {**a_manifest(name), "status": {**made, **rest}}


def a_condition(kind: str, status: str, *, reason: str, message: str = "") -> Object:
    """A condition since noon."""
    return {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": stamp(NOON)}


def a_pod(
    name: str = "digits-1-0", *, run: str = "digits", attempt: int = 1, worker: int = 0, is_waiting: bool = False
) -> Object:
    """A pod of a worker, whose container runs unless it waits."""
    labels = {
        "trainingrun.dev/run": run,
        "trainingrun.dev/attempt": str(attempt),
        "batch.kubernetes.io/job-completion-index": str(worker),
    }
    state: Object = {"waiting": {"reason": "ContainerCreating"}} if is_waiting else {"running": {}}
    statuses = [{"name": "trainer", "state": state}]
    return {"metadata": {"name": name, "labels": labels}, "status": {"phase": "Running", "containerStatuses": statuses}}
