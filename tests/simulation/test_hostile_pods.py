"""A tenant whose pods say whatever they like: no other run notices, and its own can be suspended, run again and deleted."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import NOON, stamp
from tests.hostile import RECORDS, REPORTS
from tests.simulation.world import NAMESPACE, World
from trainingrun.api import TrainingRunStatus
from trainingrun.contract import ProgressReport
from trainingrun_operator import bounds

TENANT, NEIGHBOUR = "mnist", "neighbour"


def a_world() -> World:
    """Two runs that train."""
    world = World()
    for name in (TENANT, NEIGHBOUR):
        world.apply(name, spec__workers={"replicas": 2})
        world.settle(name)
    world.kubelet()
    world.settle(TENANT)
    world.settle(NEIGHBOUR)
    world.report(epoch=1, name=NEIGHBOUR)
    world.settle(NEIGHBOUR)
    return world


def report(world: World, text: str) -> None:
    """Worker 0 of the tenant answers with this text."""
    found = bounds.read(ProgressReport, text.encode(errors="replace"))
    if found is not None:
        world.book.note((NAMESPACE, TENANT), found)


def end_pod(world: World, *, code: int, message: str) -> None:
    """Worker 0 of the tenant ends, and leaves this termination message."""
    world.end_pod(0, code=code, name=TENANT)
    world.pods[f"{TENANT}-{world.run(TENANT).status.attempt}-0"]["status"]["containerStatuses"][0]["state"]["terminated"][
        "message"
    ] = message


def try_it(texts: list[str], record: str, code: int, way_out: str) -> None:
    world = a_world()
    before = world.runs[NEIGHBOUR]["status"]
    for text in texts:
        report(world, text)
        world.settle(TENANT)
        assert "Defect" not in json.dumps(world.runs[TENANT]["status"])
        world.wait(15)
    end_pod(world, code=code, message=record)
    world.settle(TENANT)
    world.wait(15)
    world.settle(TENANT)
    world.settle(NEIGHBOUR)
    assert world.runs[NEIGHBOUR]["status"] == before
    assert "Defect" not in json.dumps(world.runs[TENANT]["status"])
    get_out(world, way_out)


def get_out(world: World, way: str) -> None:
    """The owner of the run wants it to stop."""
    if way == "delete":
        world.delete_run(TENANT)
        assert world.settle(TENANT) is None
        return
    world.apply(
        TENANT, spec__suspend=way == "suspend", spec__rerun="again" if way == "rerun" else "", spec__workers={"replicas": 2}
    )
    attempt = world.run(TENANT).status.attempt
    for _ in range(4):
        world.settle(TENANT)
        world.finish_deletions()
        world.wait(20)
    if way == "suspend":
        assert world.state(TENANT) == "Suspended" or world.run(TENANT).status.is_finished
        assert not [name for name, pod in world.pods.items() if name.startswith(TENANT) and pod["status"]["phase"] == "Running"]
    else:
        assert (world.run(TENANT).status.round, world.run(TENANT).status.attempt) == (2, attempt + 1)


HOSTILE = (st.lists(REPORTS, max_size=4), RECORDS, st.sampled_from([0, 1, 64, 66, 69, 75, 137, 255]))
WAYS_OUT = st.sampled_from(["suspend", "rerun", "delete"])


@settings(max_examples=150, deadline=None)
@given(*HOSTILE, WAYS_OUT)
def test_nothing_that_a_pod_says_stops_the_operator_or_its_owner(
    texts: list[str], record: str, code: int, way_out: str
) -> None:
    try_it(texts, record, code, way_out)


@pytest.mark.long
@settings(max_examples=5000, deadline=None)
@given(*HOSTILE, WAYS_OUT)
def test_nothing_at_all_that_a_pod_says_stops_the_operator_or_its_owner(
    texts: list[str], record: str, code: int, way_out: str
) -> None:
    try_it(texts, record, code, way_out)


HONEST = {"attempt": 1, "stage": "Training", "updatedAt": stamp(NOON)}
FAILED = {"attempt": 1, "worker": 0, "exitCode": 1, "cause": "RankFailed"}


@pytest.mark.parametrize(
    ("reports", "record"),
    [
        pytest.param([HONEST, {**HONEST, "updatedAt": "2026-11-24T12:00:20"}], FAILED, id="a moment without a zone"),
        pytest.param(
            [{**HONEST, "metrics": [{"name": f"m{n}", "value": "1"} for n in range(17)]}], FAILED, id="one metric too many"
        ),
        pytest.param([{**HONEST, "metrics": [{"name": "val_loss", "value": "1e40"}]}], FAILED, id="a large loss"),
        pytest.param([{**HONEST, "metrics": [{"name": "val_loss", "value": "abc"}]}], FAILED, id="a loss that is a word"),
        pytest.param([{**HONEST, "step": 10**30}], FAILED, id="more steps than 64 bits"),
        pytest.param([{**HONEST, "etaSeconds": -(10**15)}], FAILED, id="an end long ago"),
        pytest.param([HONEST], {**FAILED, "cause": "A" * 64}, id="a long cause"),
        pytest.param([], {**FAILED, "moments": {"firstStep": "2026-11-24T12:00:20"}}, id="a naive first step"),
    ],
)
@pytest.mark.parametrize("way_out", ["suspend", "rerun", "delete"])
def test_what_has_wedged_a_run_before_does_not(reports: list[Any], record: Any, way_out: str) -> None:
    try_it([json.dumps(each) for each in reports], json.dumps(record), 1, way_out)


def test_a_report_of_another_run_at_the_same_address_is_not_this_ones() -> None:
    world = a_world()
    before = world.run(TENANT).status.checkpoint
    position = {"stage": "Training", "epoch": 900, "step": 9000}
    report(world, json.dumps({**HONEST, "runUid": "another", "checkpoint": position}))
    world.settle(TENANT)
    assert world.run(TENANT).status.checkpoint == before
    report(world, json.dumps({**HONEST, "runUid": world.run(TENANT).metadata.uid, "checkpoint": position}))
    world.settle(TENANT)
    assert (reached := world.run(TENANT).status.checkpoint) is not None
    assert reached.epoch == 900


def test_causes_that_only_an_image_knows_are_one_label_of_the_metrics() -> None:
    world = a_world()
    for number in range(3):
        end_pod(world, code=1, message=json.dumps({**FAILED, "attempt": number + 1, "cause": f"Strange{number}"}))
        for _ in range(4):
            world.settle(TENANT)
            world.finish_deletions()
            world.wait(60)
            world.kubelet()
    labels = {
        sample.labels["cause"]
        for metric in world.reconciler.metrics.restarts.collect()
        for sample in metric.samples
        if sample.name.endswith("_total")
    }
    assert labels == {"Other"}


def test_the_last_failure_of_a_run_is_told_however_long_its_message_is() -> None:
    world = World()
    world.apply(TENANT, spec__workers={"replicas": 1}, spec__recovery={"maximumRestarts": 1})
    for _ in range(2):
        world.settle(TENANT)
        world.kubelet()
        world.settle(TENANT)
        world.end_pod(0, code=1, cause="RankFailed", message="x" * 3000)
        for _ in range(3):
            world.settle(TENANT)
            world.finish_deletions()
            world.wait(20)
    status = world.run(TENANT).status
    assert status.is_finished
    assert status.failure is not None
    assert len(status.failure.message) == 2048
    assert status.failure.message.endswith("x… It was the last of 1 restarts without progress.")


def test_a_defect_of_the_operator_is_a_condition_and_its_owner_can_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    world = a_world()
    with monkeypatch.context() as patch:
        patch.setattr("trainingrun_operator.decide.finish", _broken)
        assert (world.settle(TENANT) or 0) > 0
        assert world.state(TENANT) == "Stalled"
        stalled = world.run(TENANT).status.condition("Stalled")
        assert stalled is not None
        assert (stalled.status, stalled.reason) == ("True", "Defect")
        assert "IndexError: list index out of range" in stalled.message
        assert len(world.pods) == 4, "who trains may go on training"
        writes = len(world.writes)
        world.settle(TENANT)
        assert len(world.writes) == writes, "an idle run costs no write"

        world.apply(TENANT, spec__suspend=True, spec__workers={"replicas": 2})
        world.settle(TENANT)
        world.finish_deletions()
        world.settle(TENANT)
        assert not [name for name in world.pods if name.startswith(TENANT)]
        world.apply(TENANT, spec__rerun="anew", spec__workers={"replicas": 2})
        world.look(TENANT)
        assert world.run(TENANT).status.round == 2
    world.settle(TENANT)
    world.kubelet()
    world.settle(TENANT)
    assert world.state(TENANT) in ("Starting", "Running"), "the next version of the operator goes on"
    assert world.run(TENANT).status.condition("Stalled") is None


def _broken(*_: object) -> None:
    raise IndexError("list index out of range")


def test_a_status_that_is_refused_is_told_in_the_last_one_that_was_not(monkeypatch: pytest.MonkeyPatch) -> None:
    world = a_world()
    known = world.run(TENANT).status
    with monkeypatch.context() as patch:
        patch.setattr(
            "trainingrun_operator.decide.bounds.fit", lambda _, wire: TrainingRunStatus.model_construct(stage="x" * 99)
        )
        assert (world.settle(TENANT) or 0) > 0
    status = world.run(TENANT).status
    stalled = status.condition("Stalled")
    assert stalled is not None
    assert stalled.reason == "Refused"
    assert (status.resolved, status.attempt) == (known.resolved, known.attempt)
    world.settle(TENANT)
    assert world.run(TENANT).status.condition("Stalled") is None
