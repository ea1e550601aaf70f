"""What the kubelet says of a pod that it has rejected, evicted or ended, or whose container it could not start."""

from trainingrun.contract import Cause
from trainingrun_operator.changes import FailureFields
from trainingrun_operator.model import Pod
from trainingrun_operator.policies.hindrance import sentences, shortened

_REJECTED = "Pod was rejected: "
_PRESSURE = "The node had condition"
_DISK = ("ephemeral", "emptydir", "local storage")
_NOT_STARTED = ("StartError", "ContainerCannotRun")
_CAUSES = {
    "Evicted": Cause.EVICTED,
    "Terminated": Cause.EVICTED,
    "Shutdown": Cause.EVICTED,
    "NodeShutdown": Cause.EVICTED,
    "Preempting": Cause.PREEMPTED,
    "NodeLost": Cause.NODE_LOST,
}
"""Of reasons that come with no DisruptionTarget: kubelets of other versions set none."""


def has_used_too_much_disk(pod: Pod) -> bool:
    """Whether the pod was evicted for what it wrote itself: a node that is low on disk disrupts its pods instead.

    The container's own state is made up then: an exit code of 137 that nobody has seen.
    """
    words = pod.message.lower()
    return pod.reason == "Evicted" and not pod.disruption and "exceed" in words and any(disk in words for disk in _DISK)


def told_by_kubelet(pod: Pod) -> FailureFields | None:
    """Cause, message and hint, where the kubelet has said why the pod as a whole has failed, or could not start."""
    if has_used_too_much_disk(pod):
        return {
            "cause": Cause.STORAGE_EXCEEDED,
            "message": f"The kubelet evicted worker {pod.index}: {shortened(pod.message)}",
            "hint": "Raise the size of what it names, spec.workers.scratch or spec.workers.resources.limits.ephemeral-storage, "
            "or write less to it.",
        }
    if pod.reason:
        return _rejected(pod) if _was_rejected(pod) else _ended(pod)
    if pod.terminated_reason in _NOT_STARTED:
        return {
            "cause": Cause.CONTAINER_CREATE,
            "message": f"The container of worker {pod.index} cannot be started: {shortened(pod.last_words)}",
            "hint": "An image that is not built on the trainer's has not what starts it: see spec.image.",
        }
    return None


def _was_rejected(pod: Pod) -> bool:
    """Whether the kubelet never began with it: it has no containers then."""
    never_began = pod.started is None and pod.exit_code is None
    return never_began and (pod.reason != "Evicted" or _PRESSURE in pod.message)


def _rejected(pod: Pod) -> FailureFields:
    words = sentences(pod.reason, shortened(pod.message.removeprefix(_REJECTED)))
    return {
        "cause": Cause.POD_REJECTED,
        "message": f"The node {pod.node} has rejected worker {pod.index}: {words}",
        "hint": "It was placed there before the node's kubelet had its say. The next attempt may be placed elsewhere.",
    }


def _ended(pod: Pod) -> FailureFields:
    verb = "evicted" if pod.reason == "Evicted" else f"ended ({pod.reason})"
    words = shortened(pod.message) or "it does not say why."
    return {
        "cause": _CAUSES.get(pod.reason, Cause.POD_FAILED),
        "message": f"The kubelet {verb} worker {pod.index}: {words}",
    }
