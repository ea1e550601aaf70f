"""Clocks of other machines, and containers of other people: neither decides what becomes of a run."""

from datetime import timedelta
from typing import Any

import pytest

from tests.simulation.world import World

TWO: dict[str, Any] = {"spec__workers": {"replicas": 2}}
HOUR = timedelta(hours=1)


def start(world: World, **changes: Any) -> None:
    """All workers of the first attempt train."""
    world.apply(**TWO, **changes)
    world.settle()
    world.kubelet()
    world.settle()
    world.report(epoch=1)
    world.settle()


def jobs(world: World) -> list[str]:
    return [kind for kind in world.kinds() if kind.startswith("Job")]


def has(world: World, condition: str) -> bool:
    return world.run().status.condition(condition) is not None


@pytest.fixture(params=[-HOUR, timedelta(), HOUR], ids=["behind", "right", "ahead"])
def world(request: pytest.FixtureRequest) -> World:
    """A cluster whose nodes and controllers have clocks of their own."""
    made = World()
    made.node_clock = request.param
    return made


def test_a_worker_that_fails_waits_for_the_word_of_the_other_as_long_as_ever(world: World) -> None:
    start(world)
    world.end_pod(0, code=70, cause="RankFailed")
    assert world.settle() == pytest.approx(10)
    world.wait(9)
    world.settle()
    assert world.run().status.stopping is None
    world.wait(1)
    world.look()
    assert world.run().status.stopping is not None


def test_a_gang_has_its_time_to_become_ready(world: World) -> None:
    world.apply(**TWO, spec__recovery={"startTimeoutSeconds": 60})
    world.settle()
    world.kubelet()
    for pod in world.pods.values():
        pod["status"]["conditions"] = [each for each in pod["status"]["conditions"] if each["type"] != "Ready"]
    world.settle()
    world.wait(50)
    world.settle()
    assert world.state() == "Starting"
    world.wait(11)
    world.look()
    assert world.state() == "Stopping"


def test_a_lost_worker_has_its_grace_and_is_replaced_then(world: World) -> None:
    start(world, spec__recovery={"lostNode": "Replace"})
    world.lose_node(1)
    world.settle()
    world.wait(29)
    world.settle()
    assert world.state() == "Running"
    world.wait(2)
    world.look()
    assert world.state() == "Stopping"


def test_a_run_that_has_ended_keeps_its_objects_as_long_as_asked(world: World) -> None:
    start(world, spec__childrenTTLSecondsAfterFinished=60)
    world.succeed()
    world.settle()
    world.wait(59)
    world.settle()
    assert jobs(world) != []
    world.wait(2)
    world.settle()
    world.finish_deletions()
    world.settle()
    assert world.kinds() == []


def test_pods_that_a_sidecar_keeps_alive_are_ended_with_the_run(world: World) -> None:
    start(world)
    world.succeed(lives_on=True)
    assert world.settle() == pytest.approx(10)
    assert world.state() == "Running"
    world.wait(10)
    world.settle()
    assert (world.state(), has(world, "Reconciling")) == ("Succeeded", True)
    world.finish_deletions()
    world.wait(10)
    world.settle()
    assert (world.state(), has(world, "Reconciling"), jobs(world), world.pods) == ("Succeeded", False, [], {})


def test_pods_that_live_on_stay_behind_their_policy(world: World) -> None:
    start(world)
    world.succeed(lives_on=True)
    world.settle()
    world.wait(10)
    world.settle()
    assert (world.state(), "NetworkPolicy/mnist-1" in world.kinds()) == ("Succeeded", True)
    world.finish_deletions()
    world.wait(10)
    world.settle()
    assert world.kinds() == ["ConfigMap/mnist-1-run-1"]


def test_pods_that_end_a_moment_later_cost_no_write_and_keep_their_logs(world: World) -> None:
    start(world)
    world.succeed(lives_on=True)
    writes = len(world.writes)
    world.settle()
    assert len(world.writes) == writes
    for pod in world.pods.values():
        pod["status"]["phase"] = "Succeeded"
    world.wait(1)
    world.settle()
    assert (world.state(), has(world, "Reconciling"), len(jobs(world)), len(world.pods)) == ("Succeeded", False, 1, 2)
    assert world.writes[writes:] == ["delete Service mnist-1", "delete NetworkPolicy mnist-1", "status mnist"]


def test_a_worker_that_fails_beside_a_sidecar_is_replaced(world: World) -> None:
    start(world)
    for index in (0, 1):
        world.end_pod(index, code=70, lives_on=True, cause="RankFailed")
    for _ in range(4):
        world.settle()
        world.finish_deletions()
    assert world.state() == "Restarting"
    failure = world.run().status.failure
    assert failure is not None
    assert failure.cause == "RankFailed"


def test_a_crash_while_the_pods_are_being_ended_changes_nothing(world: World) -> None:
    start(world)
    world.succeed(lives_on=True)
    world.settle()
    world.wait(10)
    world.crash_at = len(world.writes) + 1  # the status is written, the Job not deleted yet
    world.settle()
    world.wait(20)
    world.settle()
    world.finish_deletions()
    world.wait(10)
    world.settle()
    assert (world.state(), jobs(world), world.pods) == ("Succeeded", [], {})
