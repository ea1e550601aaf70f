"""Whole lives of runs in an in-memory cluster, with the operator's own controller."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.presets import a_preset_manifest
from tests.simulation.kueue import QUEUED, admit, end_leaving_pods, finish_while_preempted, preempt, refuse
from tests.simulation.world import World
from trainingrun.api import Artifact, MetricValue, Result, TuningStatus
from trainingrun_operator.cluster.port import BusyError
from trainingrun_operator.model import Reference

ALL = ["ConfigMap/mnist-1-run-1", "Job/mnist-1", "NetworkPolicy/mnist-1", "Service/mnist-1"]
KEPT = ["ConfigMap/mnist-1-run-1", "Job/mnist-1"]
"""After its end; the pods' addresses are free, and nobody is left to be kept out."""


def start(world: World, **changes: Any) -> None:
    """Apply a run on two workers and let it come to training."""
    world.apply(**{"spec__workers": {"replicas": 2}, **changes})
    world.settle()
    world.kubelet()
    world.settle()


def restart(world: World) -> None:
    """Let a stopped attempt go and the next one come to training."""
    world.settle()
    world.finish_deletions()
    pause = world.settle()
    if world.state() == "Restarting":
        world.wait((pause or 0) + 1)
        world.settle()
    world.kubelet()
    world.settle()


def happy(world: World) -> None:
    start(world)
    world.succeed()
    world.settle()


def restarted(world: World) -> None:
    start(world)
    world.end_pod(1, code=70, cause="RankKilled", rank=1, signal=9)
    world.end_pod(0, code=69, cause="PeerLost")
    restart(world)
    world.succeed()
    world.settle()


def suspended_and_resumed(world: World) -> None:
    start(world)
    world.apply(spec__workers={"replicas": 2}, spec__suspend=True)
    world.settle()
    world.finish_deletions()
    world.settle()
    world.apply(spec__workers={"replicas": 2})
    restart(world)
    world.succeed()
    world.settle()


def failed(world: World) -> None:
    start(world)
    for index in (0, 1):
        world.end_pod(index, code=65, cause="BadData", message="damaged")
    world.settle()


ACCEPTANCE: dict[str, Any] = {"spec__acceptance": {"minimum": 0.95}}
JUDGED = Result(
    metrics=(MetricValue(name="test_accuracy", value="0.9300"),), artifacts=(Artifact(name="model", uri="pvc://m"),)
)


def judge(world: World, *, is_accepted: bool) -> None:
    """All workers of the current attempt end with what became of the model."""
    artifacts = tuple(each.model_copy(update={"accepted": is_accepted}) for each in JUDGED.artifacts)
    result = JUDGED.model_copy(update={"artifacts": artifacts})
    last: dict[str, Any] = {"code": 0} if is_accepted else {"code": 66, "cause": "NotAccepted", "message": "0.93 is below 0.95"}
    for index in (0, 1):
        world.end_pod(index, **last, result=result if index == 0 else None)
    world.settle()


def not_accepted(world: World) -> None:
    start(world, **ACCEPTANCE)
    judge(world, is_accepted=False)


def run_again_until_accepted(world: World) -> None:
    not_accepted(world)
    rerun(world, **ACCEPTANCE)
    judge(world, is_accepted=True)


def killed_while_searching(world: World) -> None:
    start(world)
    world.end_pod(0, code=70, cause="RankKilled", tuning=TuningStatus(trials=20, completed=5))
    world.end_pod(1, code=69, cause="PeerLost")
    restart(world)
    world.succeed()
    world.settle()


def rerun(world: World, value: str = "again", **changes: Any) -> None:
    """Ask for another round, and let it come to training."""
    world.apply(**{"spec__workers": {"replicas": 2}, "spec__rerun": value, **changes})
    restart(world)


def run_again_after_success(world: World) -> None:
    happy(world)
    rerun(world)
    world.succeed()
    world.settle()


def run_again_after_failure(world: World) -> None:
    failed(world)
    rerun(world)
    world.succeed()
    world.settle()


def run_again_in_the_middle(world: World) -> None:
    start(world)
    rerun(world)
    world.succeed()
    world.settle()


def cleaned_up(world: World) -> None:
    start(world, spec__childrenTTLSecondsAfterFinished=60)
    world.succeed()
    world.settle()
    world.wait(61)
    world.settle()
    world.finish_deletions()
    world.settle()


def too_late(world: World) -> None:
    start(world, spec__activeDeadlineSeconds=100)
    world.wait(101)
    world.settle()
    world.finish_deletions()
    world.settle()


def hanging(world: World) -> None:
    start(world, spec__recovery={"hangTimeoutSeconds": 60})
    world.report(epoch=1)
    world.settle()
    while world.state() == "Running":
        world.wait(60)
        world.settle()
    restart(world)
    world.succeed()
    world.settle()


def with_a_preset_that_changes(world: World) -> None:
    world.presets["small"] = a_preset_manifest("small", defaults={"image": "team:1"}, limits={"longestDeadlineSeconds": 9000})
    start(world, spec__preset="small")
    world.presets["small"]["spec"]["defaults"]["image"] = "team:2"
    world.end_pod(1, code=70, cause="RankKilled", rank=1, signal=9)
    world.end_pod(0, code=69, cause="PeerLost")
    restart(world)
    world.succeed()
    world.settle()


def preempted_and_admitted_again(world: World) -> None:
    world.apply(**QUEUED, spec__workers={"replicas": 2})
    world.settle()
    refuse(world)
    world.settle()
    admit(world)
    world.settle()
    preempt(world)
    world.settle()
    end_leaving_pods(world)
    world.settle()
    admit(world)
    world.settle()
    world.succeed()
    world.settle()


def finished_in_the_queue(world: World) -> None:
    world.apply(**QUEUED, spec__workers={"replicas": 2})
    world.settle()
    admit(world)
    world.settle()
    finish_while_preempted(world)
    world.settle()
    world.finish_deletions()
    world.settle()


LIVES = [
    happy,
    restarted,
    suspended_and_resumed,
    failed,
    run_again_after_success,
    run_again_after_failure,
    run_again_in_the_middle,
    cleaned_up,
    too_late,
    hanging,
    not_accepted,
    run_again_until_accepted,
    killed_while_searching,
    with_a_preset_that_changes,
    preempted_and_admitted_again,
    finished_in_the_queue,
]


def test_a_run_that_goes_well_leaves_one_attempt_and_a_result(world: World) -> None:
    happy(world)
    assert world.state() == "Succeeded"
    assert world.kinds() == KEPT
    assert [str(event.reason) for event in world.events] == ["AttemptStarted", "TrainingStarted", "Succeeded"]


def test_an_idle_run_is_not_written_in_any_state(world: World) -> None:
    start(world)
    world.report(epoch=1)
    for finished in (False, True):
        if finished:
            world.succeed()
        world.settle()
        before = len(world.writes)
        for _ in range(5):
            world.wait(30)
            world.settle()
        assert len(world.writes) == before


def test_a_restart_leaves_nothing_of_the_attempt_before(world: World) -> None:
    restarted(world)
    assert world.state() == "Succeeded"
    assert world.kinds() == [name.replace("mnist-1", "mnist-2") for name in KEPT]
    assert world.run().status.restarts == 1


def test_the_checkpoint_of_a_dying_attempt_is_remembered(world: World) -> None:
    start(world)
    world.end_pod(0, code=75, cause="Interrupted", checkpoint={"stage": "Training", "epoch": 7, "step": 70})
    world.end_pod(1, code=75, cause="Interrupted")
    restart(world)
    checkpoint = world.run().status.checkpoint
    assert checkpoint is not None
    assert (checkpoint.epoch, checkpoint.attempt) == (7, 1)
    assert world.run().status.restarts == 0


def test_a_suspended_run_has_no_objects_and_comes_back(world: World) -> None:
    start(world)
    world.apply(spec__workers={"replicas": 2}, spec__suspend=True)
    world.settle()
    assert world.state() == "Stopping"
    world.finish_deletions()
    world.settle()
    assert (world.state(), world.kinds()) == ("Suspended", [])
    world.apply(spec__workers={"replicas": 2})
    restart(world)
    assert (world.state(), world.run().status.attempt) == ("Running", 2)


def test_a_run_created_again_waits_for_the_pods_of_the_first(world: World) -> None:
    start(world)
    world.delete_run(pods_linger=True)
    world.apply(spec__workers={"replicas": 2})
    world.settle()
    assert (world.state(), world.kinds()) == ("Waiting", [])
    world.pods.clear()
    start(world)
    assert world.state() == "Running"


def test_a_missing_claim_that_appears_starts_the_run(world: World) -> None:
    claim = world.claims.pop("models")
    world.apply(spec__workers={"replicas": 2})
    world.settle()
    world.wait(3600)
    world.settle()
    assert world.state() == "Stalled"
    world.claims["models"] = claim
    world.settle()
    assert world.state() == "Starting"


def test_a_deleted_job_is_replaced_by_the_next_attempt(world: World) -> None:
    start(world)
    world.objects.pop(("Job", "mnist-1"))
    world.pods.clear()
    restart(world)
    assert (world.state(), world.run().status.attempt) == ("Running", 2)


def test_the_deadline_ends_a_run(world: World) -> None:
    too_late(world)
    assert world.state() == "Failed"
    failure = world.run().status.failure
    assert failure is not None
    assert failure.cause == "DeadlineExceeded"


def test_restarts_end(world: World) -> None:
    start(world, spec__recovery={"maximumRestarts": 2})
    while world.state() == "Running":
        for index in (0, 1):
            world.end_pod(index, code=70, cause="RankFailed")
        restart(world)
    assert (world.state(), world.run().status.attempt) == ("Failed", 3)


def test_two_operators_at_once_make_nothing_twice(world: World) -> None:
    world.apply(spec__workers={"replicas": 2})
    first = world.reconciler
    world._start_operator()
    second = world.reconciler
    for _ in range(10):
        for world.reconciler in (first, second):
            world.look()
    world.kubelet()
    world.settle()
    assert (world.state(), world.kinds()) == ("Running", ALL)
    assert len([write for write in world.writes if write.startswith("create Job")]) == 1


def test_a_leader_that_was_held_up_does_not_put_back_an_older_status(world: World) -> None:
    start(world)
    before = copy.deepcopy(world.runs["mnist"])
    world.apply(spec__workers={"replicas": 2}, spec__suspend=True)
    world.settle()
    intent = world.run().status.stopping
    assert intent is not None
    world.stale = before
    world.report(epoch=5)
    world.look()
    assert world.stale is None
    assert world.run().status.stopping == intent


@pytest.mark.parametrize("is_created_again", [False, True], ids=["for good", "and created again"])
def test_nothing_is_made_for_a_run_that_was_deleted_since_it_was_read(world: World, is_created_again: bool) -> None:
    start(world)
    world.stale = copy.deepcopy(world.runs["mnist"])
    world.delete_run(pods_linger=True, job_lingers=True)
    if is_created_again:
        world.apply(spec__workers={"replicas": 2})
    world.look()
    assert world.stale is None
    assert world.kinds() == ["Job/mnist-1"]


@pytest.mark.parametrize("live", LIVES, ids=lambda live: live.__name__)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_crash_at_any_write_ends_in_the_same_world(live: Callable[[World], None], after: bool) -> None:
    undisturbed = World()
    live(undisturbed)
    for number in range(len(undisturbed.writes)):
        crashed = World()
        crashed.crash_at, crashed.crash_after_write = number, after
        live(crashed)
        assert _end(crashed) == _end(undisturbed), f"after a crash at write {number}: {undisturbed.writes[number]}"


@pytest.mark.parametrize("live", LIVES, ids=lambda live: live.__name__)
def test_an_error_of_the_api_server_at_any_write_ends_in_the_same_world(live: Callable[[World], None]) -> None:
    undisturbed = World()
    live(undisturbed)
    for number in range(len(undisturbed.writes)):
        disturbed = World()
        disturbed.failing = {number: BusyError("503")}
        live(disturbed)
        assert _end(disturbed) == _end(undisturbed), f"after an error at write {number}: {undisturbed.writes[number]}"


def _end(world: World) -> object:
    """What must not depend on the history: objects, and the status but for the moments in it."""
    status = world.run().status
    return (
        world.kinds(),
        world.state(),
        status.round,
        status.attempt,
        status.restarts,
        [(past.round, past.attempt, past.outcome, past.cause) for past in status.history],
        status.result,
        status.failure,
        status.checkpoint,
        status.tuning,
        [(condition.type, condition.status, condition.reason, condition.message) for condition in status.conditions],
    )


def test_a_missing_secret_is_waited_for_stalls_the_run_and_starts_it_when_it_comes(world: World) -> None:
    output = {"uri": "s3://models/digits", "secretName": "writer"}
    world.apply(spec__output=output, spec__recovery={"startTimeoutSeconds": 60})
    world.settle()
    assert (world.state(), world.run().status.conditions[0].reason) == ("Waiting", "SecretNotFound")
    world.wait(60)
    world.settle()
    assert world.state() == "Stalled"
    assert world.kinds() == []
    world.user_objects.add(Reference("Secret", "writer"))
    world.settle()
    world.kubelet()
    world.settle()
    assert world.state() == "Running"
    world.user_objects.clear()  # a running attempt has what it needs, and nobody is asked
    asked = world.asked_for_user_objects
    world.succeed()
    world.settle()
    assert (world.state(), world.asked_for_user_objects) == ("Succeeded", asked)


def test_an_object_of_somebody_else_under_our_name_is_left_alone_until_it_goes() -> None:
    world = World()
    foreign = {"metadata": {"name": "mnist-1", "uid": "theirs", "labels": {}}, "spec": {}}
    world.objects["NetworkPolicy", "mnist-1"] = copy.deepcopy(foreign)
    world.apply(spec__workers={"replicas": 2})
    for _ in range(10):
        world.look()
    assert world.objects["NetworkPolicy", "mnist-1"] == foreign
    assert ("Job", "mnist-1") not in world.objects
    del world.objects["NetworkPolicy", "mnist-1"]
    world.settle()
    assert world.kinds() == ALL
