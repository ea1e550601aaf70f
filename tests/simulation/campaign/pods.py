"""Pods and Jobs as the API server holds them: how they are, and how they come to be so."""

from enum import StrEnum
from typing import Any

from trainingrun_operator import names

Object = dict[str, Any]


class PodState(StrEnum):
    """How far pods come that are not ready yet."""

    READY = "Ready"
    NOT_READY = "NotReady"
    PENDING = "Pending"
    UNSCHEDULABLE = "Unschedulable"
    NO_IMAGE = "ImagePullBackOff"


def leave(found: Object, *, at: str) -> None:
    """It is being deleted from now on."""
    found["metadata"].setdefault("deletionTimestamp", at)


def is_live(pod: Object) -> bool:
    """Whether it may still do something."""
    return pod["status"]["phase"] not in ("Succeeded", "Failed")


def is_running(pod: Object) -> bool:
    """Whether its trainer runs."""
    return pod["status"]["phase"] == "Running" and not has_ended(pod)


def is_ready(pod: Object) -> bool:
    """Whether it is."""
    return {"type": "Ready", "status": "True"} in pod["status"].get("conditions", ())


def has_ended(pod: Object) -> bool:
    """Whether its trainer has."""
    return exit_code(pod) is not None


def is_on_a_lost_node(pod: Object) -> bool:
    """Whether nobody is there to end it."""
    return any(each.get("reason") == "DeletionByTaintManager" for each in pod["status"].get("conditions", ()))


def exit_code(pod: Object) -> int | None:
    """Of its trainer, once that has ended."""
    states = [each.get("state", {}) for each in pod["status"].get("containerStatuses", ())]
    return next((state["terminated"]["exitCode"] for state in states if "terminated" in state), None)


def leaves(found: Object) -> bool:
    """Whether it is being deleted."""
    return "deletionTimestamp" in found["metadata"]


def owner(found: Object) -> str:
    """The UID of its owner."""
    return str(found["metadata"]["ownerReferences"][0]["uid"])


def is_over(job: Object) -> bool:
    """Whether all pods of a Job have ended, and have been counted."""
    return any(each["type"] in ("Complete", "Failed") for each in job["status"].get("conditions", ()))


def in_state(state: PodState, ready: Object, *, now: str) -> tuple[Object, Object]:
    """Spec and status of a pod in this state."""
    spec, status = ready["spec"], ready["status"]
    placed = {"type": "PodScheduled", "status": "True", "lastTransitionTime": now}
    match state:
        case PodState.READY:
            return spec, status
        case PodState.NOT_READY:
            return spec, {**status, "conditions": [placed]}
        case PodState.PENDING:
            return {}, {"phase": "Pending"}
        case PodState.NO_IMAGE:
            waiting = {"reason": state.value, "message": 'Back-off pulling image "trainer:1"'}
            container = {"name": names.CONTAINER, "state": {"waiting": waiting}}
            return spec, {"phase": "Pending", "conditions": [placed], "containerStatuses": [container]}
    nowhere = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes are available."}
    return {}, {"phase": "Pending", "conditions": [nowhere]}
