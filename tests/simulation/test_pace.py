"""Every time of `Pace`, and that of the nodes, reaches what it is for: what is waited for by default, and what else."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.simulation.kueue import QUEUED, admit, finish_while_preempted, refuse, the_job
from tests.simulation.test_lives import restart, start
from tests.simulation.world import World
from trainingrun_operator import names
from trainingrun_operator.cluster.port import ForbiddenError
from trainingrun_operator.pace import Pace, Timing

TWO: dict[str, Any] = {"spec__workers": {"replicas": 2}}
HELD = {**QUEUED, **TWO}
OTHER = 7
"""Seconds that are the default of no time."""

Wait = Callable[[World], float | None]


def fail(world: World) -> float | None:
    for index in (0, 1):
        world.end_pod(index, code=70, cause="RankFailed")
    world.settle()
    world.finish_deletions()
    return world.settle()


def first_restart(world: World) -> float | None:
    start(world)
    return fail(world)


def ninth_restart(world: World) -> float | None:
    start(world, spec__recovery={"maximumRestarts": 9})
    for _ in range(8):
        fail(world)
        restart(world)
    return fail(world)


def other_workers(world: World) -> float | None:
    start(world)
    world.end_pod(1, code=70, cause="RankFailed")
    return world.settle()


def stopping(world: World) -> float | None:
    start(world)
    world.apply(**TWO, spec__suspend=True)
    return world.settle()


def missing_claim(world: World) -> float | None:
    world.claims.clear()
    world.apply(**TWO)
    return world.settle()


def claim_that_nobody_makes(world: World) -> float | None:
    missing_claim(world)
    world.wait(3600)
    return world.settle()


def predecessor(world: World) -> float | None:
    start(world)
    world.delete_run(pods_linger=True)
    world.apply(**TWO)
    return world.settle()


def object_of_somebody_else(world: World) -> float | None:
    theirs = {"name": "mnist-1", "uid": "theirs", "labels": {names.RUN_LABEL: "mnist"}}
    world.objects["ConfigMap", "mnist-1"] = {"kind": "ConfigMap", "metadata": theirs}
    world.apply(**TWO)
    return world.settle()


def address(world: World) -> float | None:
    world.apply(**TWO)
    for _ in range(2):
        world.look()
    world.objects["Service", "mnist-1"]["spec"]["clusterIP"] = ""
    return world.settle()


def job_of_a_finished_run(world: World) -> float | None:
    world.apply(**HELD)
    world.settle()
    admit(world)
    world.settle()
    finish_while_preempted(world)
    return world.settle()


def quota(world: World) -> float | None:
    world.failing = {1: ForbiddenError("exceeded quota: team")}
    world.apply(**TWO)
    return world.settle()


def first_word_of_kueue(world: World) -> float | None:
    world.apply(**HELD)
    return world.settle()


def next_word_of_kueue(world: World) -> float | None:
    first_word_of_kueue(world)
    refuse(world)
    return world.settle()


def silent_kueue(world: World) -> float | None:
    first_word_of_kueue(world)
    world.wait(world.config.pace.queue_look_again_seconds)
    return world.settle()


WAITS: dict[str, tuple[str, Wait]] = {
    "other workers' reports": ("failure_report_seconds", other_workers),
    "pods that are stopped": ("look_again_seconds", stopping),
    "a missing claim": ("look_again_seconds", missing_claim),
    "an earlier object of this name": ("look_again_seconds", predecessor),
    "the Service's address": ("look_again_seconds", address),
    "the Job of a finished run": ("look_again_seconds", job_of_a_finished_run),
    "a claim that nobody makes": ("stalled_look_again_seconds", claim_that_nobody_makes),
    "an object of somebody else": ("stalled_look_again_seconds", object_of_somebody_else),
    "a quota": ("forbidden_retry_seconds", quota),
    "Kueue's first word": ("queue_first_look_seconds", first_word_of_kueue),
    "Kueue's next word": ("queue_look_again_seconds", next_word_of_kueue),
    "a Kueue that says nothing": ("queue_look_again_seconds", silent_kueue),
}


@pytest.mark.parametrize(("name", "wait"), WAITS.values(), ids=WAITS)
def test_a_run_is_looked_at_again_as_soon_as_the_setting_says(name: str, wait: Wait) -> None:
    assert wait(World()) == getattr(Pace(), name)
    assert wait(World(pace=Pace.model_validate({name: OTHER}))) == OTHER


BACKOFFS: dict[str, tuple[str, Wait]] = {
    "first": ("restart_backoff_seconds", first_restart),
    "ninth": ("restart_backoff_limit_seconds", ninth_restart),
}


@pytest.mark.parametrize(("name", "wait"), BACKOFFS.values(), ids=BACKOFFS)
def test_a_restart_waits_as_long_as_the_setting_says_within_a_fifth(name: str, wait: Wait) -> None:
    assert wait(World()) == pytest.approx(getattr(Pace(), name), rel=0.2)
    assert wait(World(pace=Pace.model_validate({name: OTHER}))) == pytest.approx(OTHER, rel=0.2)


def test_a_short_back_off_is_over_soon() -> None:
    world = World(pace=Pace(restart_backoff_seconds=1))
    first_restart(world)
    world.wait(1.3)
    world.settle()
    world.kubelet()
    world.settle()
    assert (world.state(), world.run().status.attempt) == ("Running", 2)


@pytest.mark.parametrize("seconds", [Pace().lost_node_seconds, OTHER])
def test_a_worker_stays_on_a_lost_node_as_long_as_the_setting_says(seconds: int) -> None:
    world = World(pace=Pace(lost_node_seconds=seconds))
    world.apply(**TWO)
    world.settle()
    tolerations = the_job(world)["spec"]["template"]["spec"]["tolerations"]
    assert [each["tolerationSeconds"] for each in tolerations] == [seconds, seconds]


@pytest.mark.parametrize("seconds", [Pace().progress_interval_seconds, OTHER])
def test_progress_is_written_as_often_as_the_setting_says(seconds: float) -> None:
    world = World(pace=Pace(progress_interval_seconds=seconds))
    start(world)
    world.report(epoch=1)
    world.settle()
    for _ in range(int(seconds) - 1):
        world.wait(1)
        assert not world.report(epoch=2), "there is nothing to look at yet"
        world.settle()
    assert _epoch(world) == 1
    world.wait(1)
    assert world.report(epoch=3)
    world.settle()
    assert _epoch(world) == 3


def _epoch(world: World) -> int:
    progress = world.run().status.progress
    assert progress is not None
    return progress.epoch


@pytest.mark.parametrize("seconds", [Timing().node_cache_seconds, OTHER])
def test_nodes_are_asked_for_as_often_as_the_setting_says(seconds: float) -> None:
    world = World(timing=Timing(node_cache_seconds=seconds))
    start(world)
    for pod in world.pods.values():
        waits = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes are available."}
        pod["status"] |= {"phase": "Pending", "conditions": [waits]}
    for moment in range(1, int(seconds) + 1):
        world.look()
        assert world.asked_for_nodes == 1, f"after {moment - 1} s"
        world.wait(1)
    world.look()
    assert world.asked_for_nodes == 2
