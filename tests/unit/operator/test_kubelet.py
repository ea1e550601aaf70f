"""Pods that the kubelet has rejected, evicted or ended, or whose container it could not start: in its words, and judged right.

The statuses are those that kubelets write; the first three rows are copied from a real one (1.37).
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from tests.builders import CONFIG, NOON, a_failed_pod, a_pod, a_record, an_active_run, children, stamp
from trainingrun.api import Stopping
from trainingrun_operator.decide import decide
from trainingrun_operator.observe import observe

Raw = dict[str, Any]
CLAIMS = {"models": {"metadata": {"name": "models"}, "spec": {"accessModes": ["ReadWriteMany"]}}}
VANISHED = {
    "exitCode": 137,
    "reason": "ContainerStatusUnknown",
    "message": "The container could not be located when the pod was terminated",
    "startedAt": None,
    "finishedAt": None,
}
"""What a kubelet says of containers that it has taken away at once."""
BY_KUBELET = [{"type": "DisruptionTarget", "status": "True", "reason": "TerminationByKubelet"}]


def rejected(reason: str, message: str) -> Raw:
    """A pod as its kubelet leaves it without beginning with it: no conditions, no containers."""
    pod = a_pod(1, phase="Failed")
    pod["status"] = {"phase": "Failed", "reason": reason, "message": message}
    return pod


def taken(reason: str, message: str, *, conditions: list[Raw] | None = None, container: Raw = VANISHED) -> Raw:
    """A pod that the kubelet has ended as a whole."""
    pod = a_pod(1, phase="Failed", terminated=container, conditions=conditions or [])
    pod["status"] |= {"reason": reason, "message": message}
    return pod


def left(words: str, *, code: int = 1, reason: str = "Error") -> Raw:
    """A pod whose container has ended, and of which the kubelet found no more than these words."""
    return a_pod(1, phase="Failed", terminated={"exitCode": code, "reason": reason, "message": words})


RECORD = a_record(
    code=75, worker=1, cause="Interrupted", message="Told to stop in epoch 3; the state is saved."
).model_dump_json(by_alias=True, exclude_none=True)
TOLD = {"exitCode": 75, "reason": "Error", "message": RECORD}


@dataclass(frozen=True)
class End:
    """A pod, and what is to be said of it."""

    pod: Raw
    cause: str
    counts: bool
    words: str
    hint: str = ""


ENDS = {
    "too few CPUs": End(
        rejected(
            "OutOfcpu",
            "Pod was rejected: Node didn't have enough resource: cpu, requested: 64000, used: 40, capacity: 2000",
        ),
        "PodRejected",
        False,
        "The node node-1 has rejected worker 1: OutOfcpu. Node didn't have enough resource: cpu, requested: 64000, used: 40, "
        "capacity: 2000.",
        "The next attempt may be placed elsewhere",
    ),
    "scratch is full": End(
        taken("Evicted", 'Usage of EmptyDir volume "scratch" exceeds the limit "1Mi". '),
        "StorageExceeded",
        True,
        'The kubelet evicted worker 1: Usage of EmptyDir volume "scratch" exceeds the limit "1Mi".',
        "spec.workers.scratch",
    ),
    "a program for other processors": End(
        left("exec /usr/bin/python3: exec format error\n"),
        "PodFailed",
        True,
        "Worker 1 ended with exit code 1 and left no final record. Its last words: exec /usr/bin/python3: exec format error",
        "The image is for other processors than those of node node-1: build spec.image for them, or choose nodes",
    ),
    "a GPU that is taken": End(
        rejected("OutOfnvidia.com/gpu", "Pod was rejected: Node didn't have enough resource: nvidia.com/gpu, requested: 1"),
        "PodRejected",
        False,
        "OutOfnvidia.com/gpu. Node didn't have enough resource: nvidia.com/gpu",
    ),
    "too little memory left": End(
        rejected("OutOfmemory", "Node didn't have enough resource: memory"), "PodRejected", False, "OutOfmemory."
    ),
    "labels that have changed": End(
        rejected("NodeAffinity", "Pod was rejected: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity"),
        "PodRejected",
        False,
        "NodeAffinity. Predicate NodeAffinity failed",
    ),
    "a port that is taken": End(
        rejected("NodePorts", "Pod was rejected: Predicate NodePorts failed: node(s) didn't have free ports"),
        "PodRejected",
        False,
        "NodePorts. Predicate NodePorts failed",
    ),
    "a device plugin that does not answer": End(
        rejected("UnexpectedAdmissionError", "Pod was rejected: Allocate failed due to no healthy devices present"),
        "PodRejected",
        False,
        "UnexpectedAdmissionError. Allocate failed due to no healthy devices present",
    ),
    "no place on one socket": End(
        rejected("TopologyAffinityError", "Pod was rejected: Resources cannot be allocated with Topology locality"),
        "PodRejected",
        False,
        "TopologyAffinityError. Resources cannot be allocated with Topology locality",
    ),
    "a node under pressure": End(
        rejected("Evicted", "Pod was rejected: The node had condition: [DiskPressure]. "),
        "PodRejected",
        False,
        "Evicted. The node had condition: [DiskPressure].",
    ),
    "a node that is about to go": End(
        rejected("NodeShutdown", "Pod was rejected as the node is shutting down."),
        "PodRejected",
        False,
        "NodeShutdown. Pod was rejected as the node is shutting down.",
    ),
    "a container that writes too much, told in time": End(
        taken("Evicted", 'Container trainer exceeded its local ephemeral storage limit "1Gi". ', container=TOLD),
        "StorageExceeded",
        True,
        'Container trainer exceeded its local ephemeral storage limit "1Gi".',
        "write less to it",
    ),
    "a node that is low on disk": End(
        taken("Evicted", "The node was low on resource: ephemeral-storage. Threshold exceeded.", conditions=BY_KUBELET),
        "Evicted",
        False,
        "The node was low on resource: ephemeral-storage.",
    ),
    "a node that is low on memory, by a kubelet without disruptions": End(
        taken("Evicted", "The node was low on resource: memory."),
        "Evicted",
        False,
        "The kubelet evicted worker 1: The node was low on resource: memory.",
    ),
    "a shutdown in which the worker had its say": End(
        taken(
            "Terminated",
            "Pod was terminated in response to imminent node shutdown.",
            conditions=BY_KUBELET,
            container=TOLD,
        ),
        "Evicted",
        False,
        "Told to stop in epoch 3; the state is saved. Pod was terminated in response to imminent node shutdown.",
    ),
    "a shutdown without a word": End(
        taken("Terminated", "Pod was terminated in response to imminent node shutdown."),
        "Evicted",
        False,
        "The kubelet ended (Terminated) worker 1: Pod was terminated in response to imminent node shutdown.",
    ),
    "room for a critical pod": End(
        taken("Preempting", "Preempted in order to admit critical pod"), "Preempted", False, "in order to admit critical pod"
    ),
    "a deadline that somebody gave the pod": End(
        taken("DeadlineExceeded", "Pod was active on the node longer than the specified deadline"),
        "PodFailed",
        True,
        "The kubelet ended (DeadlineExceeded) worker 1: Pod was active on the node longer",
    ),
    "an image without Python": End(
        left('exec: "python3": executable file not found in $PATH', code=128, reason="StartError"),
        "ContainerCreate",
        True,
        'The container of worker 1 cannot be started: exec: "python3": executable file not found in $PATH',
        "see spec.image",
    ),
    "nothing at all": End(rejected("", ""), "PodFailed", True, "The pod of worker 1 has failed, and nothing says why."),
}


def stopping(pod: Raw) -> Stopping:
    """What is decided about a gang of which worker 1 has ended like this, once the others have had their time to report."""
    run = an_active_run(status={"timeline": {"created": stamp(NOON)}})
    observed = observe(children=children(run), pods=[a_pod(0, ready=False), pod], claims=CLAIMS)
    found = decide(run, observed, now=NOON + timedelta(seconds=30), config=CONFIG).status.stopping
    assert found is not None
    return found


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_it_is_told_in_the_words_of_the_kubelet_and_counts_only_where_it_is_the_runs_own_fault(end: End) -> None:
    found = stopping(end.pod)
    assert found.failure is not None
    assert (found.failure.cause, found.counts_as_restart, found.failure.worker) == (end.cause, end.counts, 1)
    assert end.words in found.failure.message
    assert end.hint in (found.failure.hint or "")


def test_a_rejection_is_acted_on_at_once_and_no_more_telling_than_a_worker_that_has_failed() -> None:
    run = an_active_run(status={"timeline": {"created": stamp(NOON)}})
    failed = a_failed_pod(0, code=64, record=a_record(code=64, cause="BadConfig", message="spec.model: no such layer."))
    rejection = ENDS["too few CPUs"].pod

    def cause(*pods: Raw) -> str | None:
        observed = observe(children=children(run), pods=pods, claims=CLAIMS)
        intent = decide(run, observed, now=NOON + timedelta(seconds=1), config=CONFIG).status.stopping
        return intent.failure.cause if intent is not None and intent.failure is not None else None

    assert cause(a_pod(0, phase="Pending", ready=False, waiting={}), rejection) == "PodRejected"
    assert cause(failed, rejection) == "BadConfig"


def test_the_end_of_the_log_is_kept_without_what_a_terminal_would_obey() -> None:
    pod = a_failed_pod(1, code=1)
    pod["status"]["containerStatuses"][0]["state"]["terminated"]["message"] = (
        "Traceback\n\x1b[31mImportError: no agent\x1b[0m\n\n"
    )
    failure = stopping(pod).failure
    assert failure is not None
    assert failure.log_tail == "Traceback\nImportError: no agent\n\n"
    assert failure.message.endswith("Its last words: ImportError: no agent")
