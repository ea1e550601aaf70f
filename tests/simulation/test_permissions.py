"""An operator that lacks a permission: who is told, who goes on, and what follows when it gets it."""

from typing import Any

import pytest

from tests.simulation.test_waiting import FROM_S3, PATIENCE, TWO, told
from tests.simulation.world import World
from trainingrun_operator.config import GangScheduler
from trainingrun_operator.model import Reference

GANG = {"list PodGroup", "create PodGroup", "delete PodGroup"}
"""What manifests/components/gang- allows."""


def run_to_running(world: World, name: str = "mnist") -> None:
    world.settle(name)
    world.kubelet()
    world.settle(name)


def message(world: World, name: str = "mnist") -> str:
    status = world.run(name).status
    condition = status.condition("Stalled") or status.condition("Reconciling")
    assert condition is not None
    return condition.message


def test_a_gang_scheduler_without_its_permissions_stops_only_what_needs_it() -> None:
    before = World()
    before.apply(**TWO)
    run_to_running(before)
    world = World(gang_scheduler=GangScheduler.VOLCANO)
    world.runs, world.objects, world.pods = before.runs, before.objects, before.pods
    world.forbidden = set(GANG)
    world.apply("alone", spec__workers={"replicas": 1})
    world.apply("gang", **TWO)
    run_to_running(world, "alone")
    world.settle("mnist")
    assert (world.state("alone"), world.state("mnist")) == ("Running", "Running")
    assert (world.settle("gang"), world.state("gang")) == (30, "Starting")
    assert "lacks the permission to create podgroups.scheduling.volcano.sh" in message(world, "gang")
    assert "manifests/components/gang-" in message(world, "gang")
    world.succeed("mnist")
    world.settle("mnist")
    assert world.state("mnist") == "Succeeded"


@pytest.mark.parametrize("lacking", [GANG, {"create PodGroup"}, {"list PodGroup"}], ids=["all", "create", "list"])
def test_a_gang_starts_once_its_pod_group_may_be_made(lacking: set[str]) -> None:
    world = World(gang_scheduler=GangScheduler.VOLCANO)
    world.forbidden = set(lacking)
    world.apply(**TWO)
    world.crash_at, world.crash_after_write = 6, True  # between PodGroup and Job, where the first is allowed
    world.settle()
    world.wait(30)
    world.settle()
    assert "podgroups" in message(world)
    world.forbidden.clear()
    run_to_running(world)
    assert (world.state(), world.run().status.attempt) == ("Running", 1)
    assert "PodGroup/mnist-1" in world.kinds()


READS = {
    "list Service": TWO,
    "list Job": TWO,
    "list Pod": TWO,
    "get PersistentVolumeClaim": TWO,
    "get ConfigMap": FROM_S3,
}


@pytest.mark.parametrize(("lacking", "wanted"), READS.items(), ids=READS)
def test_a_run_that_may_not_be_looked_at_is_told_so_and_goes_on_when_it_may(
    world: World, lacking: str, wanted: dict[str, Any]
) -> None:
    world.user_objects |= {Reference("ConfigMap", "authority"), Reference("Secret", "bucket")}
    world.forbidden = {lacking}
    world.apply(**wanted)
    assert world.settle() == 5
    assert told(world) == ("", "Forbidden")
    verb, kind = lacking.split()
    assert f"lacks the permission to {verb} {kind.lower()}s" in message(world)
    writes = len(world.writes)
    world.wait(20)
    assert (world.settle(), len(world.writes)) == (20, writes), "asked less often, and said once"
    world.wait(PATIENCE)
    assert world.settle() == 60
    stalled = world.run().status.condition("Stalled")
    assert stalled is not None
    assert (stalled.reason, world.run().status.condition("Reconciling")) == ("Forbidden", None)
    world.forbidden.clear()
    run_to_running(world)
    assert (world.state(), world.run().status.attempt, world.run().status.waiting_since) == ("Running", 1, None)


@pytest.mark.parametrize("lacking", ["list NetworkPolicy", "list Job", "list Pod", "get PersistentVolumeClaim"])
def test_a_gang_that_nobody_may_look_at_trains_on(world: World, lacking: str) -> None:
    world.apply(**TWO)
    run_to_running(world)
    world.forbidden = {lacking}
    world.settle()
    assert told(world) == ("Waiting", "Forbidden")
    world.wait(7 * 86_400)
    world.settle()
    assert told(world) == ("Stalled", "Forbidden")
    world.forbidden.clear()
    world.settle()
    status = world.run().status
    assert (world.state(), status.attempt, status.restarts, status.condition("Stalled")) == ("Running", 1, 0, None)


@pytest.mark.parametrize("change", [{"spec__suspend": True}, {"spec__rerun": "again"}], ids=["suspend", "rerun"])
def test_a_job_that_may_not_be_deleted_is_said_and_goes_when_it_may(world: World, change: dict[str, Any]) -> None:
    world.apply(**TWO)
    run_to_running(world)
    world.forbidden = {"delete Job"}
    world.apply(**TWO, **change)
    world.settle()
    assert told(world) == ("Waiting", "Forbidden")
    assert "lacks the permission to delete jobs.batch" in message(world)
    world.forbidden.clear()
    world.settle()
    world.finish_deletions()
    run_to_running(world)
    assert (world.state(), world.run().status.attempt) in (("Suspended", 1), ("Running", 2))


def test_a_run_that_has_ended_stays_what_it_is_when_it_may_not_be_looked_at(world: World) -> None:
    world.apply(**TWO, spec__childrenTTLSecondsAfterFinished=60)
    run_to_running(world)
    world.succeed()
    world.settle()
    before = world.run().status
    world.forbidden = {"list Job"}
    world.wait(120)
    assert world.settle() == 60
    assert world.run().status == before


def test_events_that_may_not_be_written_stop_nothing(world: World) -> None:
    world.forbidden = {"create Event"}
    world.apply(**TWO)
    run_to_running(world)
    world.succeed()
    world.settle()
    assert (world.state(), world.events) == ("Succeeded", [])
