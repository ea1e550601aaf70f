"""Runs in a queue: held back, admitted, preempted, admitted again."""

from typing import Any

import pytest

from tests.simulation.kueue import NO_ROOM, QUEUED, admit, end_leaving_pods, finish_while_preempted, preempt, refuse, the_job
from tests.simulation.test_accelerators import spent
from tests.simulation.test_lives import (
    ACCEPTANCE,
    finished_in_the_queue,
    happy,
    judge,
    preempted_and_admitted_again,
    rerun,
    restart,
)
from tests.simulation.test_rounds import accounts, history, life_of
from tests.simulation.world import World
from trainingrun_operator import names
from trainingrun_operator.policies.finished import is_at_rest

TWO: dict[str, Any] = {"spec__workers": {"replicas": 2}}


def queue(world: World, **changes: Any) -> None:
    """Apply a run that Kueue then refuses."""
    world.apply(**QUEUED, **TWO, **changes)
    world.settle()
    refuse(world)
    world.settle()


def train(world: World, **changes: Any) -> None:
    """Let a queued run come to its first checkpoint."""
    queue(world, **changes)
    admit(world)
    world.settle()
    world.wait(5)
    world.report(epoch=3)
    world.settle()


def condition(world: World, kind: str) -> tuple[str, str, str]:
    found = world.run().status.condition(kind)
    assert found is not None
    return found.status, found.reason, found.message


def test_a_queued_run_has_a_suspended_job_with_the_queues_labels_and_no_pod(world: World) -> None:
    queue(world)
    job = the_job(world)
    assert job["spec"]["suspend"] is True
    assert job["metadata"]["labels"][names.QUEUE_LABEL] == "team"
    assert job["metadata"]["labels"]["kueue.x-k8s.io/priority-class"] == "low"
    assert names.QUEUE_LABEL not in job["spec"]["template"]["metadata"]["labels"]
    world.kubelet()
    assert (world.state(), world.pods) == ("Queued", {})
    assert world.kinds() == ["ConfigMap/mnist-1-run-1", "Job/mnist-1", "NetworkPolicy/mnist-1", "Service/mnist-1"]


def test_it_says_what_kueue_says(world: World) -> None:
    queue(world)
    said = ("Pending", f"Attempt 1 waits in the queue team (Pending): {NO_ROOM}")
    assert condition(world, "Succeeded") == ("Unknown", *said)
    assert condition(world, "Reconciling") == ("True", *said)
    assert condition(world, "Admitted") == ("False", *said)
    assert world.run().status.stage == "Queued"


def test_waiting_in_a_queue_writes_nothing_and_never_ends(world: World) -> None:
    queue(world, spec__activeDeadlineSeconds=60, spec__recovery={"startTimeoutSeconds": 60, "hangTimeoutSeconds": 60})
    before = len(world.writes)
    for _ in range(3):
        world.wait(3600)
        world.settle()
    assert (world.state(), len(world.writes)) == ("Queued", before)
    assert accounts(world) == {**dict.fromkeys(accounts(world), 0), "queued": 3 * 3600}


def test_clocks_begin_when_the_job_is_let_go(world: World) -> None:
    queue(world, spec__activeDeadlineSeconds=600, spec__recovery={"startTimeoutSeconds": 60})
    world.wait(7200)
    admit(world)
    for pod in world.pods.values():
        pod["status"]["conditions"] = []
    world.settle()
    assert condition(world, "Admitted")[0] == "True"
    world.wait(59)
    world.settle()
    assert world.state() == "Starting"
    world.wait(2)
    world.settle()
    failure = world.run().status.failure
    assert failure is not None
    assert (world.state(), failure.cause) == ("Stopping", "StartTimeout")


def test_the_deadline_counts_running_only(world: World) -> None:
    queue(world, spec__activeDeadlineSeconds=100)
    world.wait(7200)
    admit(world)
    world.settle()
    world.wait(60)
    preempt(world)
    world.settle()
    end_leaving_pods(world)
    world.settle()
    world.wait(7200)
    admit(world)
    world.settle()
    world.wait(39)
    world.settle()
    assert world.state() == "Running"
    world.wait(2)
    world.settle()
    failure = world.run().status.failure
    assert failure is not None
    assert failure.cause == "DeadlineExceeded"


def test_a_preempted_run_goes_on_in_the_same_attempt_at_no_cost(world: World) -> None:
    train(world, spec__recovery={"maximumRestarts": 0})
    preempt(world)
    world.settle()
    assert (world.state(), condition(world, "Admitted")[0]) == ("Stopping", "False")
    world.wait(5)
    end_leaving_pods(world)
    world.settle()
    assert (world.state(), condition(world, "Succeeded")[1]) == ("Queued", "Preempted")
    assert "training goes on after epoch 3" in condition(world, "Succeeded")[2]
    world.wait(1000)
    admit(world)
    world.settle()
    status = world.run().status
    assert (world.state(), status.attempt, status.restarts, history(world)) == ("Running", 1, 0, [])
    world.wait(10)
    world.succeed()
    world.settle()
    assert world.state() == "Succeeded"
    assert sum(accounts(world).values()) == life_of(world)
    assert accounts(world) == {**dict.fromkeys(accounts(world), 0), "queued": 1000, "training": 20}


def test_what_the_old_pods_leave_behind_is_no_failure(world: World) -> None:
    train(world)
    preempt(world)
    world.end_pod(1, code=69, cause="PeerLost")
    world.settle()
    world.end_pod(0, code=137)
    world.settle()
    end_leaving_pods(world)
    world.settle()
    assert (world.state(), world.run().status.failure) == ("Queued", None)


def test_the_moments_of_the_start_are_those_of_the_pods_that_run(world: World) -> None:
    train(world)
    preempt(world)
    world.settle()
    end_leaving_pods(world)
    world.wait(100)
    world.settle()
    timeline = world.run().status.timeline
    assert timeline is not None
    assert (timeline.scheduled, timeline.first_step) == (None, None)
    admit(world)
    world.settle()
    timeline = world.run().status.timeline
    assert timeline is not None
    assert timeline.scheduled == world.now


def test_an_old_report_does_not_count_as_hanging(world: World) -> None:
    train(world, spec__recovery={"hangTimeoutSeconds": 60})
    preempt(world)
    world.settle()
    end_leaving_pods(world)
    world.wait(1000)
    world.settle()
    admit(world)
    world.settle()
    assert world.state() == "Running"
    world.report(epoch=4)
    world.settle()
    world.wait(59)
    world.settle()
    assert world.state() == "Running"
    world.wait(2)
    world.settle()
    assert world.state() == "Stopping"


def fail_before_it_is_stopped(world: World) -> None:
    """A worker ends so shortly before that the Job counts it."""
    preempt(world)
    the_job(world)["status"]["failedIndexes"] = "1"
    end_leaving_pods(world)


def finish_before_it_is_stopped(world: World) -> None:
    """Only worker 0 is not done yet."""
    preempt(world)
    the_job(world)["status"]["succeeded"] = 1
    end_leaving_pods(world)


def be_let_go_too_early(world: World) -> None:
    """A worker still writes its checkpoint when Kueue admits the Job again."""
    preempt(world)
    world.settle()
    world.pods.pop("mnist-1-1")
    world.wait(1)
    admit(world)


@pytest.mark.parametrize("how", [fail_before_it_is_stopped, finish_before_it_is_stopped, be_let_go_too_early])
def test_a_job_whose_pods_would_not_find_a_clean_stage_is_replaced_at_no_cost(world: World, how: Any) -> None:
    train(world, spec__recovery={"maximumRestarts": 0})
    how(world)
    restart(world)
    refuse(world)
    world.settle()
    status = world.run().status
    assert (world.state(), status.attempt, status.restarts) == ("Queued", 2, 0)
    assert history(world) == [(1, 1, "Restarted", "Preempted")]


def test_a_queued_run_is_suspended_and_queues_again(world: World) -> None:
    queue(world)
    world.apply(**TWO, spec__suspend=True)
    world.settle()
    world.finish_deletions()
    world.settle()
    assert (world.state(), world.kinds()) == ("Suspended", [])
    world.apply(**TWO)
    world.settle()
    assert (world.state(), world.run().status.attempt) == ("Queued", 2)
    assert the_job(world)["spec"]["suspend"] is True


def test_a_queued_run_is_run_again(world: World) -> None:
    queue(world)
    world.apply(**TWO, spec__rerun="again")
    world.settle()
    world.finish_deletions()
    world.settle()
    assert (world.state(), world.run().status.round) == ("Queued", 2)


def test_without_kueue_the_run_is_stalled_and_says_so(world: World) -> None:
    world.workloads = None
    world.apply(**QUEUED, **TWO)
    world.settle()
    assert world.state() == "Stalled"
    assert "there is no Kueue in the cluster" in condition(world, "Stalled")[2]
    refuse(world)
    world.settle()
    assert world.state() == "Queued"


def test_a_workload_that_kueue_has_given_up_is_stalled(world: World) -> None:
    queue(world)
    refuse(world, active=False, evicted="Deactivated")
    world.settle()
    assert (world.state(), condition(world, "Stalled")[1]) == ("Stalled", "Deactivated")


def test_pods_that_are_there_before_the_job_says_that_it_was_resumed_are_not_taken_for_old_ones(world: World) -> None:
    queue(world, spec__recovery={"startTimeoutSeconds": 60})
    world.wait(3600)
    admit(world)
    job = the_job(world)
    started = job["status"].pop("startTime")
    job["status"]["conditions"] = [{"type": "Suspended", "status": "True"}]
    world.settle()
    assert (world.state(), condition(world, "Admitted")[0]) == ("Starting", "False")
    job["status"] = {"startTime": started, "conditions": [{"type": "Suspended", "status": "False"}]}
    world.settle()
    assert (world.state(), condition(world, "Admitted")[0]) == ("Running", "True")
    assert "Stopping" not in [str(event.reason) for event in world.events]


def test_accelerators_are_held_by_pods_and_by_nothing_that_waits(world: World) -> None:
    gpus: dict[str, Any] = {
        "spec__workers": {"replicas": 2, "accelerator": {"gpu": {"count": 4}}},
        "spec__image": "trainer:gpu",
    }
    world.apply(**QUEUED, **gpus)
    world.settle()
    refuse(world)
    world.wait(3600)
    world.settle()
    assert spent(world) == (0, 0)
    admit(world)
    world.settle()
    world.wait(100)
    preempt(world)
    world.settle()
    world.wait(10)
    world.settle()
    assert spent(world) == (0, 8), "the pods are still writing their checkpoint"
    end_leaving_pods(world)
    world.settle()
    world.wait(3600)
    world.settle()
    assert spent(world) == (8 * 110, 0)


def test_a_gang_of_which_one_half_has_no_place_gives_the_other_half_back_and_tries_again(world: World) -> None:
    world.apply(**TWO, spec__recovery={"startTimeoutSeconds": 60, "maximumRestarts": 0})
    world.settle()
    world.kubelet()
    waits = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes are available."}
    world.pods["mnist-1-1"]["spec"], world.pods["mnist-1-1"]["status"] = {}, {"phase": "Pending", "conditions": [waits]}
    world.settle()
    world.wait(61)
    world.settle()
    assert "deletionTimestamp" in the_job(world)["metadata"]
    world.finish_deletions()
    pause = world.settle()
    assert pause is not None
    assert 8 <= pause <= 12
    assert (world.state(), world.pods, condition(world, "Succeeded")[1]) == ("Restarting", {}, "Unschedulable")
    world.wait(pause + 1)
    world.settle()
    world.kubelet()
    world.settle()
    assert (world.state(), world.run().status.attempt, world.run().status.restarts) == ("Running", 2, 0)


def test_every_write_of_a_preempted_life_is_made_once(world: World) -> None:
    preempted_and_admitted_again(world)
    assert world.state() == "Succeeded"
    assert [str(event.reason) for event in world.events] == [
        "AttemptStarted",
        "Queued",
        "TrainingStarted",
        "Stopping",
        "Queued",
        "TrainingStarted",
        "Succeeded",
    ]
    assert len([write for write in world.writes if write.startswith("create")]) == 4


def leave(world: World) -> None:
    """What the operator deletes goes, and with a Job its pods."""
    world.settle()
    world.finish_deletions()
    world.settle()


OTHERS = ["ConfigMap/mnist-1-run-1"]
"""What a run that has ended keeps when its Job leaves the queue."""


def test_a_run_that_finishes_while_it_is_preempted_leaves_no_job_in_the_queue(world: World) -> None:
    train(world)
    finish_while_preempted(world)
    leave(world)
    world.kubelet()
    assert (world.state(), world.kinds(), world.pods) == ("Succeeded", OTHERS, {})
    assert condition(world, "Succeeded")[:2] == ("True", "Completed")


def test_its_job_is_deleted_only_when_it_is_written_that_the_run_has_ended(world: World) -> None:
    train(world)
    finish_while_preempted(world)
    world.look()
    assert (world.state(), "deletionTimestamp" in the_job(world)["metadata"]) == ("Succeeded", False)
    assert condition(world, "Reconciling")[:2] == ("True", "Cleanup")
    world.settle()
    assert "deletionTimestamp" in the_job(world)["metadata"]


@pytest.mark.parametrize("lost", ["cleanup", "conditions"])
def test_the_intent_to_delete_it_outlives_its_condition_and_is_read_from_that_of_an_older_release(
    world: World, lost: str
) -> None:
    train(world)
    finish_while_preempted(world)
    world.look()
    status = world.runs["mnist"]["status"]
    assert status.pop("cleanup") == {"attempt": 1}
    if lost == "conditions":
        status["cleanup"] = {"attempt": 1}
        status["conditions"] = [each for each in status["conditions"] if each["type"] != "Reconciling"]
    leave(world)
    assert (world.state(), world.kinds()) == ("Succeeded", OTHERS)
    assert (is_at_rest(world.run()), world.run().status.cleanup) == (True, None)


def test_it_is_at_rest_when_its_job_has_gone_and_not_before(world: World) -> None:
    train(world)
    finish_while_preempted(world)
    world.settle()
    assert not is_at_rest(world.run())
    before = len(world.writes)
    world.wait(300)
    world.settle()
    assert len(world.writes) == before, "a Job that is on its way out is waited for"
    leave(world)
    assert is_at_rest(world.run())
    assert world.run().status.condition("Reconciling") is None


def test_a_run_that_ends_without_a_queue_is_at_rest_with_its_end(world: World) -> None:
    happy(world)
    assert is_at_rest(world.run())
    assert world.writes[-1] == "status mnist"
    assert world.run().status.condition("Reconciling") is None


def test_a_model_that_is_not_accepted_leaves_no_job_in_the_queue(world: World) -> None:
    train(world, **ACCEPTANCE)
    preempt(world)
    judge(world, is_accepted=False)
    leave(world)
    assert (world.state(), world.kinds()) == ("Failed", OTHERS)
    assert condition(world, "Stalled")[:2] == ("True", "NotAccepted")
    assert is_at_rest(world.run())


def test_a_run_that_fails_while_it_is_preempted_leaves_no_job_in_the_queue(world: World) -> None:
    train(world)
    world.end_pod(1, code=65, cause="BadData", message="damaged")
    world.look()
    world.wait(11)
    world.look()
    assert world.run().status.stopping is not None
    preempt(world)
    world.end_pod(0, code=69, cause="PeerLost")
    leave(world)
    assert (world.state(), "Job/mnist-1" in world.kinds()) == ("Failed", False)
    assert is_at_rest(world.run())


@pytest.mark.parametrize("end", ["Complete", "Failed"])
def test_a_job_that_has_come_to_its_own_end_is_kept_with_its_pods(world: World, end: str) -> None:
    train(world)
    the_job(world)["spec"]["suspend"] = True
    world.succeed()
    the_job(world)["status"]["conditions"] = [{"type": end, "status": "True"}]
    world.look()
    assert is_at_rest(world.run())
    leave(world)
    assert (world.state(), "Job/mnist-1" in world.kinds(), len(world.pods)) == ("Succeeded", True, 2)


def test_a_job_that_comes_to_its_own_end_meanwhile_is_kept(world: World) -> None:
    train(world)
    the_job(world)["spec"]["suspend"] = True
    world.succeed()
    world.look()
    the_job(world)["status"]["conditions"] = [{"type": "Complete", "status": "True"}]
    leave(world)
    assert ("Job/mnist-1" in world.kinds(), is_at_rest(world.run())) == (True, True)


def test_a_job_that_is_let_go_again_before_the_end_is_seen_makes_no_more_pods(world: World) -> None:
    train(world)
    finish_while_preempted(world)
    world.wait(3)
    admit(world)
    leave(world)
    assert (world.state(), world.kinds(), world.pods) == ("Succeeded", OTHERS, {})


def test_a_job_that_was_read_just_before_it_was_stopped_leaves_the_queue(world: World) -> None:
    train(world)
    finish_while_preempted(world)
    the_job(world)["spec"]["suspend"] = False
    the_job(world)["status"]["conditions"] = []
    world.look()
    the_job(world)["spec"]["suspend"] = True
    assert world.state() == "Succeeded"
    leave(world)
    assert (world.kinds(), is_at_rest(world.run())) == (OTHERS, True)


def test_a_pod_that_is_drained_at_the_end_of_a_run_without_a_queue_takes_no_job_with_it(world: World) -> None:
    world.apply(**TWO)
    world.settle()
    world.kubelet()
    world.settle()
    world.pods["mnist-1-1"]["metadata"]["deletionTimestamp"] = "2026-01-01T12:00:30Z"
    world.succeed()
    leave(world)
    assert ("Job/mnist-1" in world.kinds(), is_at_rest(world.run())) == (True, True)


def test_the_other_objects_have_their_time_to_live(world: World) -> None:
    train(world, spec__childrenTTLSecondsAfterFinished=600)
    finish_while_preempted(world)
    leave(world)
    assert world.kinds() == OTHERS
    assert world.settle() == pytest.approx(600)
    world.wait(600)
    world.settle()
    assert world.kinds() == []


def test_a_run_whose_job_is_still_in_the_queue_is_run_again(world: World) -> None:
    train(world)
    finish_while_preempted(world)
    world.look()
    rerun(world)
    refuse(world)
    world.settle()
    status = world.run().status
    assert (world.state(), status.round, status.attempt) == ("Queued", 2, 2)
    assert history(world) == [(1, 1, "Succeeded", "")]


def test_every_write_of_a_life_that_ends_in_the_queue_is_made_once(world: World) -> None:
    finished_in_the_queue(world)
    assert [str(event.reason) for event in world.events][-1:] == ["Succeeded"]
    freed = ["delete Service mnist-1", "delete NetworkPolicy mnist-1"]
    assert world.writes[-5:] == ["status mnist", "delete Job mnist-1", *freed, "status mnist"]
