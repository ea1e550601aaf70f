"""Accelerator-seconds over whole lives: what pods hold on nodes, and nothing else."""

from typing import Any

import pytest

from tests.simulation.test_lives import rerun, restart, start
from tests.simulation.world import NAMESPACE, World

GPUS: dict[str, Any] = {"replicas": 2, "accelerator": {"gpu": {"count": 4}}}
RUN: dict[str, Any] = {"spec__workers": GPUS, "spec__image": "trainer:gpu"}


def spent(world: World) -> tuple[int, int]:
    """Accelerator-seconds of the round, and accelerators held now."""
    ledger = world.run().status.ledger
    assert ledger is not None
    return ledger.accelerator_seconds, ledger.accelerators_held


def counted(world: World) -> float | None:
    """What the operator's metric says."""
    labels = {"namespace": NAMESPACE, "accelerator": "GPU"}
    return world.reconciler.metrics.registry.get_sample_value("trainingrun_accelerator_seconds_total", labels)


def test_eight_gpus_for_a_hundred_seconds(world: World) -> None:
    start(world, **RUN)
    assert spent(world) == (0, 8)
    world.wait(100)
    world.succeed()
    world.settle()
    world.wait(3600)
    world.settle()
    assert (spent(world), counted(world)) == ((800, 0), 800)


def test_waiting_for_what_is_missing_holds_nothing(world: World) -> None:
    claim = world.claims.pop("models")
    world.apply(**RUN)
    world.settle()
    world.wait(3600)
    world.settle()
    world.claims["models"] = claim
    world.settle()
    assert spent(world) == (0, 0)


def test_a_gang_that_waits_for_its_second_node_holds_the_first(world: World) -> None:
    world.apply(**RUN)
    world.settle()
    world.kubelet()
    late = world.pods["mnist-1-1"]
    bound, late["spec"], late["status"] = (late["spec"], late["status"]), {}, {"phase": "Pending"}
    world.settle()
    assert spent(world) == (0, 4)
    world.wait(60)
    late["spec"], late["status"] = bound
    world.settle()
    assert spent(world) == (240, 8)


def test_a_suspended_run_holds_nothing(world: World) -> None:
    start(world, **RUN)
    world.wait(10)
    world.apply(**RUN, spec__suspend=True)
    world.settle()
    world.wait(5)
    world.settle()
    assert spent(world) == (0, 8), "the pods are still writing their checkpoint"
    world.finish_deletions()
    world.settle()
    world.wait(3600)
    world.settle()
    assert spent(world) == (120, 0)


def test_back_off_holds_nothing(world: World) -> None:
    start(world, **RUN)
    world.wait(10)
    for index in (0, 1):
        world.end_pod(index, code=70, cause="RankKilled")
    world.settle()
    world.finish_deletions()
    pause = world.settle()
    assert (world.state(), spent(world)) == ("Restarting", (80, 0))
    world.wait((pause or 0) + 1)
    restart(world)
    assert spent(world) == (80, 8)


def test_a_round_that_is_given_up_is_in_the_metric_and_the_next_one_counts_anew(world: World) -> None:
    start(world, **RUN)
    world.wait(50)
    rerun(world, **RUN)
    assert (world.run().status.round, spent(world), counted(world)) == (2, (0, 8), 400)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_no_crash_loses_or_doubles_what_was_held(after: bool) -> None:
    ends = set()
    for write in range(30):
        world = World()
        world.crash_at, world.crash_after_write = write, after
        start(world, **RUN)
        world.wait(100)
        world.succeed()
        world.settle()
        ends.add(spent(world))
    assert ends == {(800, 0)}


def test_runs_on_cpus_have_no_such_metric(world: World) -> None:
    start(world)
    world.wait(100)
    world.succeed()
    world.settle()
    assert (spent(world), counted(world)) == ((0, 0), None)


def unschedulable(world: World) -> None:
    """The scheduler finds no place for the pods of the first attempt."""
    for pod in world.pods.values():
        waits = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes are available."}
        pod["spec"], pod["status"] = {}, {"phase": "Pending", "conditions": [waits]}


def message(world: World) -> str:
    condition = world.run().status.condition("Succeeded")
    assert condition is not None
    return condition.message


def test_nodes_are_asked_for_when_a_pod_has_no_place_and_once_a_minute(world: World) -> None:
    world.nodes = [
        {"metadata": {"name": "n", "labels": {"kubernetes.io/os": "linux"}}, "status": {"allocatable": {"nvidia.com/gpu": "1"}}}
    ]
    start(world, **RUN)
    assert world.asked_for_nodes == 0
    unschedulable(world)
    world.settle()
    world.settle()
    assert (world.asked_for_nodes, message(world)) == (
        1,
        "Worker 0 fits no node: it needs 4 GPUs on one node; the largest has 1, on 1 node. "
        "Ask for less, or for what there is, in spec.workers, or add such nodes.",
    )
    world.nodes[0]["status"]["allocatable"]["nvidia.com/gpu"] = "2"
    world.wait(60)
    world.settle()
    assert (world.asked_for_nodes, "the largest has 2" in message(world)) == (2, True)


def test_without_permission_for_nodes_the_schedulers_words_remain(world: World) -> None:
    world.nodes = None
    start(world, **RUN)
    unschedulable(world)
    world.settle()
    assert message(world).startswith("Worker 0 fits no node: 0/1 nodes are available. Lower spec.workers.resources.requests")
