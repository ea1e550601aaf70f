"""Runs that name a preset, while its team makes it, changes it and takes it away."""

import copy
from typing import Any

import pytest

from tests.presets import a_preset_manifest
from tests.simulation.test_lives import restart, start
from tests.simulation.world import World
from trainingrun_operator.cluster.port import ForbiddenError

GVISOR: dict[str, Any] = {"defaults": {"image": "team:1", "workers": {"runtimeClassName": "gvisor"}}}
RUNC: dict[str, Any] = {"defaults": {"image": "team:2", "workers": {"runtimeClassName": "runc"}}}
NAMED: dict[str, Any] = {"spec__preset": "small"}


def give(world: World, spec: dict[str, Any], *, generation: int = 1) -> None:
    """The team makes the preset, or changes it."""
    world.presets["small"] = a_preset_manifest("small", **copy.deepcopy(spec))
    world.presets["small"]["metadata"]["generation"] = generation


def pod(world: World, *, attempt: int = 1) -> tuple[str, str]:
    """Image and runtime of the pods of an attempt."""
    spec = world.objects["Job", f"mnist-{attempt}"]["spec"]["template"]["spec"]
    return spec["containers"][0]["image"], spec["runtimeClassName"]


def written_down(world: World) -> tuple[int, str]:
    """Generation and hash of the preset of the active attempt."""
    resolved = world.run().status.resolved
    assert resolved is not None
    assert resolved.preset is not None
    return resolved.preset.generation, resolved.preset.hash


def test_a_run_waits_for_its_preset_and_then_trains_with_it(world: World) -> None:
    world.apply(spec__workers={"replicas": 2}, **NAMED)
    world.settle()
    assert (world.state(), world.kinds(), world.run().status.attempt) == ("Waiting", [], 0)
    world.wait(3600)
    world.settle()
    assert world.state() == "Stalled"
    give(world, GVISOR)
    start(world, **NAMED)
    assert (world.state(), pod(world)) == ("Running", ("team:1", "gvisor"))
    world.succeed()
    world.settle()
    assert world.state() == "Succeeded"


def taken_away(world: World) -> None:
    world.presets.clear()


def changed(world: World) -> None:
    give(world, RUNC, generation=2)


def made_anew(world: World) -> None:
    give(world, {**RUNC, "limits": {"mostWorkers": 1}}, generation=1)


@pytest.mark.parametrize("happen", [taken_away, changed, made_anew])
def test_what_becomes_of_a_preset_does_not_touch_the_attempt_that_runs(world: World, happen: Any) -> None:
    give(world, GVISOR)
    start(world, **NAMED)
    before, writes, asked = written_down(world), len(world.writes), world.asked_for_presets
    happen(world)
    world.wait(30)
    world.settle()
    assert (written_down(world), len(world.writes), world.asked_for_presets) == (before, writes, asked)
    world.succeed()
    world.settle()
    assert (world.state(), written_down(world)) == ("Succeeded", before)


@pytest.mark.parametrize("happen", [taken_away, changed, made_anew])
@pytest.mark.parametrize("kind", ["Service", "ConfigMap", "NetworkPolicy", "Job"])
def test_an_object_that_is_lost_before_its_pods_start_is_made_anew_as_it_was(world: World, happen: Any, kind: str) -> None:
    give(world, GVISOR)
    world.apply(spec__workers={"replicas": 2}, **NAMED)
    while ("Job", "mnist-1") not in world.objects:
        world.look()
    first = copy.deepcopy({key: found["spec"] for key, found in world.objects.items() if "spec" in found})
    key = next(key for key in world.objects if key[0] == kind)
    content = world.objects.pop(key).get("data")
    happen(world)
    world.settle()
    assert {key: found["spec"] for key, found in world.objects.items() if "spec" in found} == first
    assert world.objects[key].get("data") == content


def test_the_next_attempt_takes_the_preset_as_it_is_by_then(world: World) -> None:
    give(world, GVISOR)
    start(world, **NAMED)
    before = written_down(world)
    changed(world)
    world.end_pod(1, code=70, cause="RankKilled", rank=1, signal=9)
    world.end_pod(0, code=69, cause="PeerLost")
    restart(world)
    assert (world.state(), pod(world, attempt=2)) == ("Running", ("team:2", "runc"))
    assert written_down(world)[0] == 2
    assert written_down(world)[1] != before[1]


def test_a_restart_waits_when_the_run_oversteps_by_then_and_goes_on_when_it_may(world: World) -> None:
    give(world, GVISOR)
    start(world, **NAMED)
    made_anew(world)
    world.end_pod(1, code=70, cause="RankKilled", rank=1, signal=9)
    world.end_pod(0, code=69, cause="PeerLost")
    restart(world)
    assert (world.state(), world.run().status.resolved) == ("Waiting", None)
    condition = world.run().status.condition("Reconciling")
    assert condition is not None
    assert condition.reason == "PresetOverstepped"
    changed(world)
    restart(world)
    assert (world.state(), world.run().status.attempt, world.run().status.restarts) == ("Running", 2, 1)


def test_a_run_that_oversteps_is_mended_with_a_rerun(world: World) -> None:
    give(world, {"limits": {"mostWorkers": 1}})
    world.apply(spec__workers={"replicas": 2}, **NAMED)
    world.settle()
    assert (world.state(), world.kinds()) == ("Waiting", [])
    world.apply(spec__workers={"replicas": 1}, spec__rerun="smaller", **NAMED)
    world.settle()
    world.kubelet()
    world.settle()
    assert (world.state(), world.run().status.attempt) == ("Running", 1)


def test_a_run_that_waits_for_its_preset_can_be_suspended_and_deleted(world: World) -> None:
    world.apply(spec__workers={"replicas": 2}, **NAMED)
    world.settle()
    world.apply(spec__workers={"replicas": 2}, spec__suspend=True, **NAMED)
    world.settle()
    assert world.state() == "Suspended"
    world.delete_run()
    world.settle()
    assert world.kinds() == []


def test_an_operator_that_may_not_read_presets_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(name: str) -> None:
        raise ForbiddenError("403")

    monkeypatch.setattr(world.reconciler.cluster, "get_preset", refuse)
    world.apply(spec__workers={"replicas": 2}, **NAMED)
    world.settle()
    condition = world.run().status.condition("Reconciling")
    assert condition is not None
    assert condition.reason == "PresetUnreadable"
    assert "lacks the permission to get trainingpresets" in condition.message
    monkeypatch.undo()
    give(world, GVISOR)
    start(world, **NAMED)
    assert world.state() == "Running"
