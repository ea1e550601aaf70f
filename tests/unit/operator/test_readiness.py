"""Why an attempt does not start, in the words of whoever knows, and what becomes of it when the start time-out is over."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from tests.builders import CONFIG, NOON, a_claim, a_pod, an_active_run, children, stamp
from trainingrun.contract import Cause
from trainingrun_operator.decide import decide
from trainingrun_operator.decision import Decision
from trainingrun_operator.life import ActiveAttempt, phase_of
from trainingrun_operator.model import Observed
from trainingrun_operator.observe import observe, observe_notices
from trainingrun_operator.policies.readiness import subjects

Raw = dict[str, Any]
JOB, POD = "Job-1", "pod-1-{}"
TIMEOUT = 600
"""The start time-out, by default."""


def an_event(about: str, reason: str, message: str, *, at: str = "2026-01-01T12:00:05Z") -> Raw:
    return {"involvedObject": {"uid": about}, "reason": reason, "message": message, "lastTimestamp": at}


def unplaced(index: int, why: str = "") -> Raw:
    """A pod that has no node yet; `why` is what the scheduler says, if it has said anything."""
    pod = a_pod(index, phase="Pending", ready=False, node="", waiting={}, conditions=[])
    if why:
        waits = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": why}
        pod["status"]["conditions"] = [waits]
    return pod


def placed(index: int, reason: str = "ContainerCreating", message: str = "") -> Raw:
    """A pod that its node has not started yet."""
    return a_pod(index, phase="Pending", ready=False, waiting={"reason": reason, "message": message})


def refused(words: str) -> list[Raw]:
    return [an_event(JOB, "FailedCreate", f"Error creating: {words}")]


@dataclass(frozen=True)
class Trouble:
    """What there is, what is said of it, the reason and some words of the status, and what follows the time-out."""

    reason: str
    words: tuple[str, ...]
    then: str
    """Waits, Stalled, Free (another attempt that does not count) or Count."""
    pods: list[Raw] = field(default_factory=list)
    events: list[Raw] = field(default_factory=list)
    claim: Raw = field(default_factory=a_claim)


NO_ROOM = (
    'pods "mnist-1-0-x2x5k" is forbidden: exceeded quota: team, requested: requests.cpu=2, used: requests.cpu=9, limited: '
    "requests.cpu=10"
)
NEVER = NO_ROOM.replace("limited: requests.cpu=10", "limited: requests.cpu=3500m")
PENDING = {**a_claim(), "status": {"phase": "Pending"}}
PENDING["metadata"] = {**PENDING["metadata"], "uid": "claim"}
PENDING["spec"] = {**PENDING["spec"], "storageClassName": "fast"}

_UNCONSTRAINED = "unable to validate against any security context constraint"
TROUBLES = {
    "a quota that is full": Trouble(
        "QuotaExceeded", ("exceeded quota: team", "as soon as the quota has room"), "Waits", events=refused(NO_ROOM)
    ),
    "a quota that is full, with a worker that holds its place": Trouble(
        "QuotaExceeded", ("exceeded quota: team",), "Free", pods=[a_pod(0, ready=False)], events=refused(NO_ROOM)
    ),
    "a quota that all workers together never fit": Trouble(
        "QuotaExceeded",
        ("The 2 workers need 4 of requests.cpu, of which the quota never has more than 3.5",),
        "Stalled",
        events=refused(NEVER),
    ),
    "a quota that wants limits": Trouble(
        "FailedCreate",
        ("failed quota: team: must specify limits.cpu",),
        "Stalled",
        events=refused('pods "mnist-1-0-abc" is forbidden: failed quota: team: must specify limits.cpu for: trainer'),
    ),
    "a LimitRange": Trouble(
        "FailedCreate",
        ("maximum cpu usage per Container is 1",),
        "Stalled",
        events=refused('pods "mnist-1-0-abc" is forbidden: maximum cpu usage per Container is 1, but limit is 2'),
    ),
    "Pod Security": Trouble(
        "FailedCreate",
        ('violates PodSecurity "restricted:latest"',),
        "Stalled",
        events=refused('violates PodSecurity "restricted:latest"'),
    ),
    "a priority class that is not there": Trouble(
        "FailedCreate",
        ("no PriorityClass with name urgent was found", "Make or allow what it names"),
        "Stalled",
        events=refused('pods "mnist-1-0-abc" is forbidden: no PriorityClass with name urgent was found'),
    ),
    **{
        f"OpenShift, and {what} of ours": Trouble(
            "FailedCreate",
            (_UNCONSTRAINED, found, "leave spec.workers.securityContext out, and set WORKER_USER=Cluster in the operator's"),
            "Stalled",
            events=refused(
                f'pods "mnist-1-0-" is forbidden: {_UNCONSTRAINED}: [provider "anyuid": Forbidden: not usable by user or '
                f"serviceaccount, provider restricted-v2: {found}: Invalid value: 1000: must be in the ranges: [1000650000, "
                "1000659999]]"
            ),
        )
        for what, found in (
            ("a user", ".containers[0].runAsUser"),
            ("a group", ".spec.securityContext.fsGroup"),
            ("further groups", ".spec.securityContext.supplementalGroups"),
        )
    },
    "a webhook that is down": Trouble(
        "FailedCreate",
        ("failed calling webhook",),
        "Waits",
        events=refused('Internal error occurred: failed calling webhook "x.y": no endpoints available for service "hook"'),
    ),
    "no node with room": Trouble(
        "Unschedulable", ("0/3 nodes",), "Free", pods=[unplaced(0, "0/3 nodes are available."), a_pod(1)]
    ),
    "a scheduler that is not there": Trouble(
        "Unschedulable",
        ("Worker 0 has no node, and the scheduler has said nothing about it. See that it runs",),
        "Free",
        pods=[unplaced(0), a_pod(1)],
    ),
    "a node that is being added": Trouble(
        "TriggeredScaleUp",
        ("waits for a node that is being added", "2->3"),
        "Waits",
        pods=[unplaced(0, "0/3 nodes are available."), a_pod(1)],
        events=[an_event(POD.format(0), "TriggeredScaleUp", "pod triggered scale-up: [{gpus 2->3 (max: 8)}]")],
    ),
    "Karpenter": Trouble(
        "TriggeredScaleUp",
        ("nodeclaim/gpus-x8k2p",),
        "Waits",
        pods=[unplaced(0, "0/3 nodes are available.")],
        events=[an_event(POD.format(0), "Nominated", "Pod should schedule on: nodeclaim/gpus-x8k2p")],
    ),
    "an autoscaler that adds none": Trouble(
        "Unschedulable",
        ("0/3 nodes are available.", "The autoscaler adds none: pod didn't trigger scale-up: 1 max node group size reached"),
        "Free",
        pods=[unplaced(0, "0/3 nodes are available.")],
        events=[an_event(POD.format(0), "NotTriggerScaleUp", "pod didn't trigger scale-up: 1 max node group size reached")],
    ),
    "a claim that nothing binds at once": Trouble(
        "ClaimNotBound",
        ("the PersistentVolumeClaim models (spec.output.persistentVolumeClaim.claimName) of class fast, which is Pending",),
        "Free",
        pods=[unplaced(0, "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.")],
        claim=PENDING,
    ),
    "a claim that waits for its provisioner": Trouble(
        "ClaimNotBound",
        ("which is Pending", "Waiting for a volume to be created by the external provisioner"),
        "Free",
        pods=[unplaced(0)],
        events=[an_event("claim", "ExternalProvisioning", "Waiting for a volume to be created by the external provisioner")],
        claim=PENDING,
    ),
    "a volume that only another node can mount": Trouble(
        "Unschedulable",
        ("because of a volume", "had volume node affinity conflict", "ReadWriteMany"),
        "Free",
        pods=[a_pod(0), unplaced(1, "0/2 nodes are available: 1 node(s) had volume node affinity conflict.")],
    ),
    "a Secret that is to be mounted and not there": Trouble(
        "FailedMount",
        ('secret "token" not found', "Worker 1 waits for a volume on node node-1"),
        "Free",
        pods=[a_pod(0), placed(1)],
        events=[
            an_event(POD.format(1), "FailedMount", 'MountVolume.SetUp failed for volume "token" : secret "token" not found')
        ],
    ),
    "a volume that another node holds": Trouble(
        "FailedAttachVolume",
        ("Multi-Attach error",),
        "Free",
        pods=[placed(0)],
        events=[an_event(POD.format(0), "FailedAttachVolume", 'Multi-Attach error for volume "pvc-1" Volume is already used')],
    ),
    "a node without a network": Trouble(
        "FailedCreatePodSandBox",
        ("cannot start the pod of worker 0", "cni plugin not initialized"),
        "Free",
        pods=[placed(0)],
        events=[an_event(POD.format(0), "FailedCreatePodSandBox", "Failed to create pod sandbox: cni plugin not initialized")],
    ),
    "a large image": Trouble(
        "Pulling",
        ("The node node-1 of worker 0 pulls the image trainer:1 (the operator's default).",),
        "Waits",
        pods=[placed(0), a_pod(1)],
        events=[an_event(POD.format(0), "Pulling", 'Pulling image "trainer:1"')],
    ),
    "a mount that has come, and the image after it": Trouble(
        "Pulling",
        ("pulls the image",),
        "Waits",
        pods=[placed(0)],
        events=[
            an_event(POD.format(0), "FailedMount", "timed out", at="2026-01-01T12:00:01Z"),
            an_event(POD.format(0), "Pulling", 'Pulling image "trainer:1"', at="2026-01-01T12:00:09Z"),
        ],
    ),
    "an image that is not there": Trouble(
        "ImagePull", ("ErrImagePull",), "Count", pods=[placed(0, "ErrImagePull", "not found")]
    ),
    "an image of a registry that wants to know who asks": Trouble(
        "ImagePull",
        ("401 Unauthorized", "name a Secret for its registry in spec.workers.imagePullSecrets"),
        "Count",
        pods=[placed(0, "ImagePullBackOff", 'failed to resolve "r.example/t:1": failed to authorize: 401 Unauthorized')],
    ),
    "an image for other processors": Trouble(
        "ImagePull",
        ("no match for platform in manifest", "not made for the processors of node node-1", "by kubernetes.io/arch"),
        "Count",
        pods=[placed(0, "ErrImagePull", "no match for platform in manifest: not found")],
    ),
    "a container that lacks something": Trouble(
        "ContainerCreate",
        ('secret "x" not found',),
        "Count",
        pods=[placed(0, "CreateContainerConfigError", 'secret "x" not found')],
    ),
    "ranks that do not meet": Trouble(
        "Starting", ("0 of 2 workers of attempt 1 are ready",), "Count", pods=[a_pod(0, ready=False), a_pod(1, ready=False)]
    ),
    "the most basic thing first": Trouble(
        "FailedMount",
        ("Worker 1",),
        "Free",
        pods=[placed(0, "ErrImagePull", "not found"), placed(1)],
        events=[an_event(POD.format(1), "FailedMount", "timed out")],
    ),
    "an Event that somebody has made up": Trouble(
        "QuotaExceeded",
        ("exceeded quota",),
        "Waits",
        events=refused("exceeded quota: q, requested: pods=many,=,, used: , limited: pods=1e999999"),
    ),
}


def seen(trouble: Trouble) -> Observed:
    run = an_active_run()
    observed = observe(children=children(run), pods=trouble.pods, claims={"models": trouble.claim})
    return replace(observed, notices=observe_notices(trouble.events))


def look(trouble: Trouble, *, seconds: float) -> Decision:
    run = an_active_run(status={"timeline": {"created": stamp(NOON)}})
    return decide(run, seen(trouble), now=NOON + timedelta(seconds=seconds), config=CONFIG)


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
def test_it_is_said_at_once_and_judged_when_the_start_timeout_is_over(trouble: Trouble) -> None:
    early = look(trouble, seconds=5)
    ready = early.status.condition("Ready")
    assert ready is not None
    assert ready.reason == trouble.reason
    for words in trouble.words:
        assert words in ready.message
    assert early.status.condition("Stalled") is None
    assert early.requeue_after is not None

    late = look(trouble, seconds=TIMEOUT + 60)
    assert outcome(late) == trouble.then
    failure = late.status.stopping.failure if late.status.stopping is not None else None
    if failure is not None and trouble.reason in list(Cause):
        assert (failure.cause, trouble.words[0] in f"{failure.message} {failure.hint}") == (trouble.reason, True)


def test_a_scheduler_is_named_that_the_run_has_chosen_and_has_its_time_to_look() -> None:
    trouble = TROUBLES["a scheduler that is not there"]

    def ready(seconds: float) -> str:
        status = {"timeline": {"created": stamp(NOON)}}
        run = an_active_run(status=status, spec__workers={"replicas": 2, "schedulerName": "slurm"})
        decision = decide(run, seen(trouble), now=NOON + timedelta(seconds=seconds), config=CONFIG)
        condition = decision.status.condition("Ready")
        assert condition is not None
        return condition.message

    assert "slurm" not in ready(3)
    assert "the scheduler slurm (spec.workers.schedulerName) has said nothing about it." in ready(6)


def outcome(decision: Decision) -> str:
    stopping = decision.status.stopping
    if stopping is not None:
        return "Count" if stopping.counts_as_restart else "Free"
    return "Stalled" if decision.status.condition("Stalled") is not None else "Waits"


def asked(trouble: Trouble, *, seconds: float = 5, **status: Any) -> tuple[str, ...]:
    run = an_active_run(status={"timeline": {"created": stamp(NOON), **status}})
    life = phase_of(run, seen(trouble), now=NOON + timedelta(seconds=seconds), config=CONFIG)
    assert isinstance(life, ActiveAttempt)
    return subjects(life)


def test_only_objects_that_may_have_something_to_tell_are_asked_about() -> None:
    assert asked(TROUBLES["a quota that is full"]) == (JOB,)
    assert asked(TROUBLES["a node that is being added"]) == ("pod-1-0",)
    assert asked(TROUBLES["a claim that waits for its provisioner"]) == (JOB, "pod-1-0", "claim")
    assert asked(TROUBLES["a Secret that is to be mounted and not there"]) == ("pod-1-1",)
    assert asked(TROUBLES["ranks that do not meet"]) == ()


def test_nobody_is_asked_about_a_start_that_takes_no_time_nor_about_a_gang_that_trains() -> None:
    assert asked(TROUBLES["a quota that is full"], seconds=1) == ()
    assert asked(TROUBLES["a quota that is full"], firstStep=stamp(NOON)) == ()


def test_a_look_for_words_comes_the_less_often_the_longer_it_takes() -> None:
    waits = [look(TROUBLES["a quota that is full"], seconds=seconds).requeue_after for seconds in (5, 100, 500, 5000)]
    assert waits == [5, 10, 50, 60]
