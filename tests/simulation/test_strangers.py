"""Objects of others beside a run's own: they are never touched, and stop nothing but what needs their name."""

import copy

import pytest

from tests.builders import stamp
from tests.simulation.world import World
from trainingrun_operator import names
from trainingrun_operator.cluster.port import ForbiddenError, InvalidError

KINDS = ("Service", "ConfigMap", "NetworkPolicy", "Job")


def a_training_world() -> World:
    """A run of two workers that trains."""
    world = World()
    world.apply(spec__workers={"replicas": 2})
    world.settle()
    world.kubelet()
    world.settle()
    assert world.state() == "Running"
    return world


@pytest.mark.parametrize("kind", KINDS)
def test_a_strangers_object_without_our_label_is_named_and_stays(kind: str) -> None:
    world = World()
    world.apply(spec__workers={"replicas": 2})
    uid = world.runs["mnist"]["metadata"]["uid"]
    name = names.config_name("mnist", 1, uid=uid) if kind == "ConfigMap" else "mnist-1"
    stranger = {"kind": kind, "metadata": {"name": name, "namespace": "team", "uid": "theirs", "labels": {}}, "spec": {}}
    world.objects[kind, name] = copy.deepcopy(stranger)
    assert (world.settle() or 0) > 0
    assert world.state() == "Stalled"
    stalled = world.run().status.condition("Stalled")
    assert stalled is not None
    assert (stalled.reason, f"The {kind} {name} exists and belongs to somebody else" in stalled.message) == (
        "NameConflict",
        True,
    )
    assert world.objects[kind, name] == stranger
    writes = len(world.writes)
    world.settle()
    assert len(world.writes) == writes, "it waits without writing"

    del world.objects[kind, name]
    world.settle()
    world.kubelet()
    world.settle()
    assert (world.state(), world.run().status.attempt) == ("Running", 1)


def test_a_run_whose_name_is_taken_can_be_suspended() -> None:
    world = World()
    world.apply(spec__workers={"replicas": 2})
    stranger = {"kind": "Job", "metadata": {"name": "mnist-1", "uid": "theirs", "labels": {}}, "spec": {}}
    world.objects["Job", "mnist-1"] = copy.deepcopy(stranger)
    world.settle()
    world.apply(spec__workers={"replicas": 2}, spec__suspend=True)
    world.settle()
    assert world.state() == "Suspended"
    assert world.kinds() == ["Job/mnist-1"]


@pytest.mark.parametrize("phase", ["Running", "Failed", "Succeeded"])
def test_a_copy_of_a_worker_is_none(phase: str) -> None:
    """As `kubectl debug --copy-to --keep-labels` makes one."""
    world = a_training_world()
    copied = copy.deepcopy(world.pods["mnist-1-1"])
    copied["metadata"] |= {"name": "mnist-debug", "uid": "copy", "ownerReferences": []}
    copied["status"]["phase"] = phase
    if phase != "Running":
        ended = {"exitCode": 1 if phase == "Failed" else 0, "finishedAt": stamp(world.now)}
        copied["status"]["containerStatuses"][0]["state"] = {"terminated": ended}
    world.pods["mnist-debug"] = copied
    before = world.run().status
    world.settle()
    world.wait(60)
    world.settle()
    assert (world.state(), world.run().status.attempt, world.run().status.restarts) == ("Running", before.attempt, 0)
    world.apply(spec__workers={"replicas": 2}, spec__suspend=True)
    for _ in range(3):
        world.settle()
        world.finish_deletions()
        world.pods["mnist-debug"] = copied
    assert world.state() == "Suspended"


def test_a_pod_with_the_label_of_a_running_run_freezes_nothing() -> None:
    world = a_training_world()
    pod = copy.deepcopy(world.pods["mnist-1-1"])
    pod["metadata"] |= {"name": "stranger", "uid": "stranger"}
    pod["metadata"]["labels"] |= {names.UID_LABEL: "another"}
    world.pods["stranger"] = pod
    world.settle()
    assert world.state() == "Running"
    world.succeed()
    world.settle()
    assert world.state() == "Succeeded"


def test_what_a_leader_that_was_held_up_has_made_of_an_earlier_attempt_goes() -> None:
    world = a_training_world()
    late = copy.deepcopy(world.objects["Job", "mnist-1"])
    world.end_pod(0, code=1, cause="RankFailed")
    for _ in range(4):
        world.settle()
        world.finish_deletions()
        world.wait(20)
    world.kubelet()
    world.settle()
    assert (world.state(), world.run().status.attempt) == ("Running", 2)
    late["metadata"] |= {"uid": "late"}
    late["metadata"].pop("deletionTimestamp", None)
    world.objects["Job", "mnist-1"] = late
    world.kubelet()
    world.settle()
    world.finish_deletions()
    world.settle()
    assert "Job/mnist-1" not in world.kinds()
    assert (world.state(), world.run().status.attempt) == ("Running", 2)


REFUSED = {
    "forbidden": ForbiddenError("exceeded quota: services=2"),
    "invalid": InvalidError("spec.clusterIPs: provided IP is already allocated"),
}


@pytest.mark.parametrize("kind", ["Service", "NetworkPolicy"])
def test_a_gang_that_loses_an_object_which_may_not_be_made_again_now_trains_on(kind: str) -> None:
    world = a_training_world()
    del world.objects[kind, "mnist-1"]
    world.failing = {len(world.writes): REFUSED["forbidden"]}
    world.look()
    assert world.state() == "Running"
    message = world.run().status.conditions[0].message
    assert f"Its {kind} mnist-1 is gone and cannot be made again now: exceeded quota" in message
    world.settle()
    assert f"{kind}/mnist-1" in world.kinds(), "it is tried again"
    assert world.run().status.attempt == 1


def test_a_gang_that_loses_an_object_to_a_stranger_trains_on() -> None:
    world = a_training_world()
    stranger = {"kind": "Service", "metadata": {"name": "mnist-1", "uid": "theirs", "labels": {}}, "spec": {}}
    world.objects["Service", "mnist-1"] = stranger
    assert (world.settle() or 0) > 0
    assert world.state() == "Running"
    assert "It belongs to somebody else" in world.run().status.conditions[0].message
    world.succeed()
    world.settle()
    assert world.state() == "Succeeded"


def test_no_gang_trains_on_below_a_run_that_has_failed() -> None:
    """An object that can never be made again ends the attempt in order: intent, pods gone, and then what follows."""
    world = a_training_world()
    del world.objects["Service", "mnist-1"]
    world.failing = {len(world.writes): REFUSED["invalid"]}
    world.look()
    assert world.state() == "Stopping"
    for _ in range(3):
        world.settle()
        world.finish_deletions()
    status = world.run().status
    assert (status.restarts, status.history[-1].cause) == (1, "Refused")
    world.wait(20)
    world.settle()
    world.kubelet()
    world.settle()
    assert (world.state(), world.run().status.attempt) == ("Running", 2)
