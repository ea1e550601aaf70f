"""What the operator decides, world by world."""

import itertools
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import (
    CONFIG,
    NOON,
    a_child,
    a_claim,
    a_failed_pod,
    a_finished_pod,
    a_pod,
    a_record,
    a_run,
    an_active_run,
    children,
    stamp,
)
from trainingrun.api import CheckpointPosition, MetricValue, Result, TrainingRun
from trainingrun.contract import Cause, ProgressReport, Stage, StartMoments
from trainingrun_operator.decide import decide
from trainingrun_operator.decision import Decision
from trainingrun_operator.observe import observe
from trainingrun_operator.pace import Pace
from trainingrun_operator.policies.stopping import backoff
from trainingrun_operator.status.measurements import is_worth_a_look

RESULT = Result(metrics=(MetricValue(name="val_accuracy", value="0.9730"),), epochs=3)


def look(
    run: TrainingRun, *, seconds: float = 0, claims: Any = None, progress: ProgressReport | None = None, **world: Any
) -> Decision:
    """Decide on a run in a world, some seconds after noon."""
    known = {"models": a_claim()} if claims is None else claims
    observed = observe(children=world.get("children", ()), pods=world.get("pods", ()), claims=known, progress=progress)
    return decide(run, observed, now=NOON + timedelta(seconds=seconds), config=CONFIG)


def conditions(decision: Decision) -> dict[str, str]:
    return {condition.type: condition.status for condition in decision.status.conditions}


def column(decision: Decision) -> str:
    assert decision.status.columns is not None
    return decision.status.columns.status


def test_the_number_of_an_attempt_is_written_before_anything_is_created() -> None:
    decision = look(a_run())
    assert decision.status.attempt == 1
    assert decision.create == ()
    assert decision.requeue_after == 0.0


def test_the_service_comes_first_and_alone_because_the_pods_are_told_its_address() -> None:
    decision = look(an_active_run(status={"resolved": {**_resolved(), "coordinator": None}, "timeline": {}}))
    assert [manifest["kind"] for manifest in decision.create] == ["Service"]


def test_the_address_is_written_down_before_a_pod_is_told_of_it() -> None:
    run = an_active_run(status={"resolved": {**_resolved(), "coordinator": None}, "timeline": {}})
    decision = look(run, children=[a_child("Service", run)])
    assert decision.status.resolved is not None
    assert decision.status.resolved.coordinator == "10.96.0.9"
    assert decision.create == ()


def test_the_rest_follows_with_the_job_last() -> None:
    run = an_active_run(status={"timeline": {}})
    decision = look(run, children=[a_child("Service", run)])
    assert [manifest["kind"] for manifest in decision.create] == ["ConfigMap", "NetworkPolicy", "Job"]


def test_a_run_that_was_created_again_has_a_configuration_of_another_name() -> None:
    names = set()
    for uid in ("aaaaaaaa-0000", "bbbbbbbb-0000"):
        run = an_active_run(status={"timeline": {}}, uid=uid)
        made = {manifest["kind"]: manifest for manifest in look(run, children=[a_child("Service", run)]).create}
        volumes = made["Job"]["spec"]["template"]["spec"]["volumes"]
        (mounted,) = [volume["configMap"]["name"] for volume in volumes if volume["name"] == "config"]
        assert mounted == made["ConfigMap"]["metadata"]["name"]
        names.add(mounted)
    assert len(names) == 2


def test_one_worker_needs_no_service() -> None:
    decision = look(an_active_run(workers=1, status={"timeline": {}}))
    assert [manifest["kind"] for manifest in decision.create] == ["ConfigMap", "NetworkPolicy", "Job"]


def test_a_lost_service_is_made_again_with_the_address_that_the_pods_know() -> None:
    run = an_active_run()
    decision = look(run, children=children(run, without=("Service",)), pods=[a_pod(0), a_pod(1)])
    assert [manifest["spec"]["clusterIP"] for manifest in decision.create] == ["10.96.0.9"]


def test_a_run_that_is_being_deleted_is_left_to_its_owner_references() -> None:
    run = an_active_run()
    going = run.model_copy(update={"metadata": run.metadata.model_copy(update={"deletion_timestamp": NOON})})
    decision = look(going)
    assert (decision.create, decision.delete, decision.status) == ((), (), run.status)


def test_an_object_of_somebody_else_stalls_the_run_and_is_not_touched() -> None:
    run = a_run()
    stranger = a_child("Job", run, owner_uid="somebody")
    stranger["metadata"]["ownerReferences"][0]["kind"] = "CronJob"
    decision = look(run, children=[stranger])
    assert conditions(decision)["Stalled"] == "True"
    assert decision.delete == ()
    assert "belongs to somebody else" in decision.status.conditions[0].message


def test_the_pods_of_a_deleted_run_of_the_same_name_are_waited_for() -> None:
    decision = look(a_run(), pods=[a_pod(0, uid="older")])
    assert decision.status.attempt == 0
    assert decision.status.conditions[0].reason == "WaitForCleanup"


def test_a_finished_run_is_never_looked_at_again() -> None:
    done = look(_finishing_run(), children=children(_finishing_run()), pods=_finished_pods())
    finished = _finishing_run().model_copy(update={"status": done.status})
    again = look(finished, seconds=9999)
    assert (again.status, again.create, again.delete, again.requeue_after) == (done.status, (), (), None)


def test_a_run_succeeds_when_every_worker_has_and_the_first_has_reported() -> None:
    decision = look(_finishing_run(), children=children(_finishing_run()), pods=_finished_pods())
    assert decision.status.result == RESULT
    made = conditions(decision)
    assert (made["Succeeded"], made["Ready"], made["Suspended"], made["PodsReady"]) == ("True", "True", "False", "False")
    assert "Reconciling" not in made
    assert "Stalled" not in made
    assert decision.status.columns is not None
    assert decision.status.columns.metric == "val_accuracy=0.973"
    assert decision.status.columns.workers == "2/2"


def test_a_container_that_has_ended_well_is_no_reason_to_start_again() -> None:
    run = an_active_run(workers=1)
    ending = a_pod(0, ready=False, terminated={"exitCode": 0, "reason": "Completed", "message": ""})
    decision = look(run, children=children(run), pods=[ending])
    assert column(decision) == "Running"
    assert decision.status.columns is not None
    assert decision.status.columns.workers == "1/1"


def test_a_lost_report_costs_one_more_attempt() -> None:
    run = _finishing_run()
    world = children(run)
    world[-1]["status"]["succeeded"] = 2
    decision = look(run, children=world, pods=[a_finished_pod(1)])
    assert decision.status.stopping is not None
    assert decision.status.stopping.failure is not None
    assert decision.status.stopping.failure.cause == Cause.RESULT_LOST


def test_the_intent_to_stop_is_written_before_anything_is_deleted() -> None:
    run = an_active_run(spec__suspend=True)
    decision = look(run, children=children(run), pods=[a_pod(0), a_pod(1)])
    assert decision.status.stopping is not None
    assert decision.delete == ()
    then = look(run.model_copy(update={"status": decision.status}), children=children(run), pods=[a_pod(0), a_pod(1)])
    assert [(deletion.kind, deletion.uid) for deletion in then.delete] == [("Job", "Job-1")]


def test_a_suspended_run_has_nothing_left_and_knows_where_it_goes_on() -> None:
    run = an_active_run(
        spec__suspend=True,
        status={"stopping": {"attempt": 1, "reason": "Suspend"}, "checkpoint": {"stage": "Training", "epoch": 3, "attempt": 1}},
    )
    decision = look(run, children=children(run, without=("Job",)))
    assert column(decision) == "Suspended"
    assert {deletion.kind for deletion in decision.delete} == {"Service", "ConfigMap", "NetworkPolicy"}
    assert "after epoch 3" in decision.status.conditions[0].message
    again = look(run.model_copy(update={"status": decision.status}))
    assert again.status == decision.status
    assert again.requeue_after is None


def test_resuming_is_another_attempt_that_costs_no_restart() -> None:
    run = a_run(status={"attempt": 1, "clock": {"activeSeconds": 60}})
    decision = look(run)
    assert (decision.status.attempt, decision.status.restarts) == (2, 0)


def test_a_run_that_is_created_suspended_creates_nothing() -> None:
    decision = look(a_run(spec__suspend=True), claims={"models": None})
    assert (column(decision), decision.status.attempt, decision.create) == ("Suspended", 0, ())


def test_suspended_time_does_not_count_against_the_deadline() -> None:
    run = a_run(spec__suspend=True, spec__activeDeadlineSeconds=100, status={"attempt": 1, "clock": {"activeSeconds": 60}})
    assert column(look(run, seconds=10_000)) == "Suspended"


def test_running_time_of_all_attempts_counts_against_the_deadline() -> None:
    run = an_active_run(
        spec__activeDeadlineSeconds=100,
        status={"clock": {"activeSeconds": 50, "runningSince": stamp(NOON - timedelta(seconds=55))}},
    )
    decision = look(run, children=children(run), pods=[a_pod(0), a_pod(1)])
    assert decision.status.stopping is not None
    assert decision.status.stopping.failure is not None
    assert decision.status.stopping.failure.cause == Cause.DEADLINE_EXCEEDED


def test_the_deadline_is_when_to_look_again() -> None:
    run = an_active_run(
        spec__activeDeadlineSeconds=100, status={"timeline": {"created": stamp(NOON), "firstStep": stamp(NOON)}}
    )
    assert look(run, children=children(run), pods=[a_pod(0), a_pod(1)]).requeue_after == pytest.approx(40)


def test_a_missing_claim_is_waited_for_and_stalls_after_the_start_timeout() -> None:
    run = a_run(spec__recovery={"startTimeoutSeconds": 30})
    waiting = look(run, claims={"models": None})
    assert (column(waiting), waiting.status.attempt) == ("Waiting", 0)
    later = run.model_copy(update={"status": waiting.status})
    stalled = look(later, seconds=30, claims={"models": None})
    assert conditions(stalled)["Stalled"] == "True"
    assert conditions(stalled)["Succeeded"] == "Unknown"
    assert look(later.model_copy(update={"status": stalled.status}), seconds=31).status.attempt == 1


def test_a_claim_for_one_pod_is_refused_for_two_workers() -> None:
    decision = look(a_run(), claims={"models": a_claim(modes=("ReadWriteOncePod",))})
    assert decision.status.conditions[0].reason == "ClaimNotShareable"


def test_a_running_attempt_is_not_judged_by_its_claims() -> None:
    run = an_active_run(status={"timeline": {"created": stamp(NOON), "firstStep": stamp(NOON)}})
    assert column(look(run, claims={"models": None}, children=children(run), pods=[a_pod(0), a_pod(1)])) == "Running"


DRAINED = {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}


@pytest.mark.parametrize(
    ("pods", "cause", "rank"),
    [
        ([a_failed_pod(0, code=65, record=a_record(code=65, cause="BadData", rank=0))], "BadData", 0),
        (
            [
                a_failed_pod(0, code=69, record=a_record(code=69, cause="PeerLost")),
                a_failed_pod(1, code=70, record=a_record(code=70, worker=1, cause="RankKilled", rank=1, signal=9)),
            ],
            "RankKilled",
            1,
        ),
        (
            [
                a_failed_pod(0, code=75, record=a_record(code=75, cause="Interrupted")),
                a_failed_pod(1, code=137, reason="OOMKilled"),
            ],
            "OOMKilled",
            1,
        ),
        (
            [
                a_failed_pod(
                    1, code=70, reason="OOMKilled", record=a_record(code=70, worker=1, cause="RankKilled", rank=1, signal=9)
                )
            ],
            "OOMKilled",
            1,
        ),
        ([a_failed_pod(0, code=1)], "PodFailed", None),
        (
            [
                a_failed_pod(
                    0, code=143, conditions=[{"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}]
                )
            ],
            "Preempted",
            None,
        ),
        (
            [
                a_failed_pod(0, code=69, record=a_record(code=69, cause="PeerLost"), conditions=[DRAINED]),
                a_failed_pod(1, code=75, record=a_record(code=75, worker=1, cause="Interrupted"), conditions=[DRAINED]),
            ],
            "Evicted",
            None,
        ),
    ],
    ids=[
        *("own words", "not the lost peer", "not the interruption", "memory before the signal", "unknown", "preemption"),
        "a drain in which one lost the other",
    ],
)
def test_the_most_telling_evidence_is_the_cause(pods: list[Any], cause: str, rank: int | None) -> None:
    run = an_active_run()
    decision = look(run, seconds=20, children=children(run), pods=pods)
    assert decision.status.stopping is not None
    assert decision.status.stopping.failure is not None
    assert (decision.status.stopping.failure.cause, decision.status.stopping.failure.rank) == (cause, rank)


def test_a_record_without_a_message_is_told_in_a_sentence_all_the_same() -> None:
    run = an_active_run()
    pods = [a_failed_pod(0, code=66, record=a_record(code=66, cause="NotAccepted"))]
    stopping = look(run, seconds=20, children=children(run), pods=pods).status.stopping
    assert stopping is not None
    assert stopping.failure is not None
    assert stopping.failure.message == "Worker 0 said that the cause is NotAccepted, and no more."


def test_a_container_that_was_killed_without_a_word_is_named_with_the_signal() -> None:
    run = an_active_run()
    pods = [a_failed_pod(0, code=69, record=a_record(code=69, cause="PeerLost")), a_failed_pod(1, code=137)]
    stopping = look(run, seconds=20, children=children(run), pods=pods).status.stopping
    assert stopping is not None
    assert stopping.failure is not None
    assert (stopping.failure.cause, stopping.failure.worker, stopping.failure.signal) == ("PodFailed", 1, 9)
    assert "ended by signal 9" in stopping.failure.message


def test_the_others_are_given_time_to_report() -> None:
    run = an_active_run()
    pods = [a_failed_pod(0, code=70, record=a_record(code=70, cause="RankFailed")), a_pod(1)]
    early = look(run, seconds=1, children=children(run), pods=pods)
    assert early.status.stopping is None
    assert early.requeue_after == pytest.approx(9)
    assert look(run, seconds=10, children=children(run), pods=pods).status.stopping is not None


@pytest.mark.parametrize("phase", ["Failed", "Running"])
def test_a_lost_peer_waits_for_the_others_also_while_the_kubelet_still_takes_its_pod_down(phase: str) -> None:
    run = an_active_run()
    lost = a_failed_pod(0, code=69, record=a_record(code=69, cause="PeerLost"), phase=phase)
    early = look(run, seconds=1, children=children(run), pods=[lost, a_pod(1)])
    assert early.status.stopping is None
    killed = a_failed_pod(1, code=70, record=a_record(code=70, worker=1, cause="RankKilled"), phase=phase)
    stopping = look(run, seconds=2, children=children(run), pods=[lost, killed]).status.stopping
    assert stopping is not None
    assert stopping.failure is not None
    assert stopping.failure.cause == "RankKilled"


LOST = [{"type": "DisruptionTarget", "status": "True", "reason": "DeletionByTaintManager"}]


def test_a_lost_peer_is_no_cause_until_it_has_shown_whether_its_node_is_lost() -> None:
    """With its first worker's node a gang loses what the others ask, and they end long before Kubernetes gives the node up."""
    run = an_active_run(spec__recovery={"maximumRestarts": 0})
    silent = a_failed_pod(1, code=69, record=a_record(code=69, worker=1, cause="PeerLost"))
    waiting = look(run, seconds=60, children=children(run), pods=[a_pod(0), silent])
    assert waiting.status.stopping is None
    assert waiting.requeue_after == pytest.approx(60)

    lost = a_pod(0, deleting=True, conditions=LOST, node="node-7")
    known = look(run, seconds=80, children=children(run), pods=[lost, silent]).status.stopping
    assert known is not None
    assert known.failure is not None
    assert (known.reason, known.failure.cause, known.failure.node, known.failure.worker) == ("Restart", "NodeLost", "node-7", 0)

    never = look(run, seconds=120, children=children(run), pods=[a_pod(0), silent]).status.stopping
    assert never is not None
    assert never.failure is not None
    assert (never.reason, never.failure.cause, never.counts_as_restart) == ("Restart", "PeerLost", False)


def test_attempts_that_leave_nothing_behind_come_ever_more_slowly_whatever_ended_them() -> None:
    evicted = [{"type": "DisruptionTarget", "status": "True", "reason": "TerminationByKubelet"}]
    waits = []
    for fruitless in range(6):
        run = an_active_run(status={"fruitlessAttempts": fruitless, "stopping": {"attempt": 1, "reason": "Restart"}})
        decision = look(run, pods=[a_failed_pod(0, code=137, conditions=evicted)])
        assert (decision.status.restarts, decision.status.fruitless_attempts) == (0, fruitless + 1)
        assert decision.requeue_after is not None
        waits.append(decision.requeue_after)
    assert all(later > 1.9 * earlier for earlier, later in itertools.pairwise(waits[:5]))


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ('Usage of EmptyDir volume "scratch" exceeds the limit "1Gi".', True),
        ("Pod ephemeral local storage usage exceeds the total limit of containers 2Gi.", True),
        ("The node was low on resource: memory.", False),
    ],
)
def test_an_evicted_worker_is_told_in_the_kubelets_words(words: str, hint: bool) -> None:
    run = an_active_run()
    pod = a_failed_pod(0, code=137)
    pod["status"] |= {"reason": "Evicted", "message": words, "containerStatuses": []}
    stopping = look(run, seconds=20, children=children(run), pods=[pod, a_pod(1)]).status.stopping
    assert stopping is not None
    assert stopping.failure is not None
    assert words in stopping.failure.message
    assert ("spec.workers.scratch" in stopping.failure.hint) == hint


@pytest.mark.parametrize(
    ("code", "cause", "reason"),
    [(64, "X", "Fail"), (65, "X", "Fail"), (70, "X", "Restart"), (70, "NotANumber", "Fail"), (70, "RankFailed", "Restart")],
)
def test_bad_input_is_final_and_defects_are_tried_again(code: int, cause: str, reason: str) -> None:
    run = an_active_run()
    pods = [a_failed_pod(index, code=code, record=a_record(code=code, worker=index, cause=cause)) for index in (0, 1)]
    decision = look(run, children=children(run), pods=pods)
    assert decision.status.stopping is not None
    assert decision.status.stopping.reason == reason


def test_restarts_run_out_unless_the_attempt_made_progress() -> None:
    pods = [a_failed_pod(index, code=70, record=a_record(code=70, worker=index, cause="RankFailed")) for index in (0, 1)]
    used = {"restarts": 3}
    run = an_active_run(status=used)
    stuck = look(run, children=children(run), pods=pods).status.stopping
    assert stuck is not None
    assert stuck.reason == "Fail"
    moving = an_active_run(status={**used, "checkpoint": {"stage": "Training", "epoch": 2, "attempt": 1}})
    going = look(moving, children=children(moving), pods=pods).status.stopping
    assert going is not None
    assert going.reason == "Restart"


def test_an_interruption_uses_up_no_restart() -> None:
    run = an_active_run(status={"restarts": 3}, spec__recovery={"maximumRestarts": 3})
    pods = [a_failed_pod(index, code=75, record=a_record(code=75, worker=index, cause="Interrupted")) for index in (0, 1)]
    stopping = look(run, children=children(run), pods=pods).status.stopping
    assert stopping is not None
    assert (stopping.reason, stopping.counts_as_restart) == ("Restart", False)


def test_a_pod_that_left_nothing_behind_was_deleted() -> None:
    run = an_active_run()
    decision = look(run, children=children(run, failed_indexes="1"), pods=[a_pod(0)])
    assert decision.status.stopping is not None
    assert decision.status.stopping.failure is not None
    assert decision.status.stopping.failure.cause == Cause.POD_DELETED


def test_a_job_that_was_there_and_is_gone_was_deleted() -> None:
    run = an_active_run()
    decision = look(run, children=children(run, without=("Job",)))
    assert decision.status.stopping is not None
    assert decision.status.stopping.failure is not None
    assert decision.status.stopping.failure.cause == Cause.JOB_DELETED


def test_a_restart_waits_for_its_back_off_and_then_takes_the_next_number() -> None:
    stopping = {"attempt": 1, "reason": "Restart", "countsAsRestart": True, "failure": {"cause": "RankFailed"}}
    run = an_active_run(status={"stopping": stopping})
    resting = look(run)
    assert resting.status.restarts == 1
    assert 8 <= (resting.requeue_after or 0) <= 12
    waiting = run.model_copy(update={"status": resting.status})
    assert look(waiting, seconds=5).status.attempt == 1
    assert look(waiting, seconds=13).status.attempt == 2


def test_the_back_off_doubles_to_five_minutes() -> None:
    waits = [backoff("uid", 1, restarts, pace=Pace()) for restarts in range(1, 12)]
    assert waits == sorted(waits)
    assert waits[-1] <= 360
    assert backoff("uid", 1, 3, pace=Pace()) != backoff("uid", 2, 3, pace=Pace())


def test_the_logs_of_a_failed_run_can_still_be_read() -> None:
    run = an_active_run(status={"stopping": {"attempt": 1, "reason": "Fail", "failure": {"cause": "BadData"}}})
    decision = look(run, children=children(run), pods=[a_failed_pod(0, code=65), a_failed_pod(1, code=69)])
    assert {deletion.kind for deletion in decision.delete} == {"Service", "NetworkPolicy"}
    assert conditions(decision)["Succeeded"] == "False"
    assert conditions(decision)["Stalled"] == "True"


def test_a_pod_that_may_still_run_on_a_lost_node_stays_behind_its_policy() -> None:
    failure = {"cause": "NodeLost"}
    stopping = {"attempt": 1, "reason": "Fail", "failure": failure}
    run = an_active_run(status={"stopping": stopping}, spec__recovery={"lostNode": "Replace"})
    lost = a_pod(1, deleting=True, conditions=LOST)
    decision = look(run, children=children(run), pods=[a_failed_pod(0, code=69), lost], seconds=3600)
    assert conditions(decision)["Succeeded"] == "False"
    assert decision.delete == ()


def test_the_pods_of_a_failed_run_are_not_deleted_while_the_kubelet_takes_them_down() -> None:
    run = an_active_run(status={"stopping": {"attempt": 1, "reason": "Fail", "failure": {"cause": "BadData"}}})

    def deleted(*pods: Any, seconds: float = 1) -> int:
        return len(look(run, seconds=seconds, children=children(run), pods=pods).delete)

    going = a_failed_pod(0, code=65, phase="Running")
    assert deleted(going, a_failed_pod(1, code=69)) == 0
    assert deleted(going, a_pod(1)) == 1, "who trains on is told to stop"
    assert deleted(going, a_failed_pod(1, code=69), seconds=11) == 1, "a container of somebody else keeps the pod alive"


def test_a_pod_that_fits_nowhere_is_stopped_without_a_restart_used() -> None:
    conditions_ = [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes"}]
    run = an_active_run(spec__recovery={"startTimeoutSeconds": 30, "maximumRestarts": 0})
    pods = [a_pod(0, phase="Pending", conditions=conditions_, waiting={})]
    decision = look(run, children=children(run), pods=pods)
    assert decision.status.stopping is not None
    assert (decision.status.stopping.reason, decision.status.stopping.counts_as_restart) == ("Restart", False)


@pytest.mark.parametrize(
    ("first_step", "reason"), [(None, "StartTimeout"), (NOON, "Starting")], ids=["does not train yet", "trains"]
)
def test_a_gang_that_has_just_taken_its_first_step_has_started_in_time(first_step: datetime | None, reason: str) -> None:
    run = an_active_run(spec__recovery={"startTimeoutSeconds": 30, "maximumRestarts": 0})
    report = ProgressReport(attempt=1, moments=StartMoments(first_step=first_step), updated_at=NOON)
    pods = [a_pod(0, ready=False), a_pod(1, ready=False)]
    decision = look(run, children=children(run), pods=pods, progress=report, seconds=600)
    stopping = decision.status.stopping
    assert (stopping.failure.cause if stopping is not None and stopping.failure is not None else "Starting") == reason


def test_a_missing_image_is_named_while_it_is_waited_for() -> None:
    run = an_active_run()
    pods = [a_pod(0, phase="Pending", ready=False, waiting={"reason": "ErrImagePull", "message": "not found"})]
    decision = look(run, children=children(run), pods=pods)
    assert decision.status.conditions[0].reason == "ImagePull"
    assert "trainer:1 (the operator's default): ErrImagePull" in decision.status.conditions[0].message


def test_progress_is_written_every_ten_seconds_and_at_once_when_a_stage_begins() -> None:
    started = {"timeline": {"created": stamp(NOON), "firstStep": stamp(NOON)}, "stage": "Training"}
    run = an_active_run(status=started, spec__training={"epochs": 99})  # of whose work training is 99 %
    world: Any = {"children": children(run), "pods": [a_pod(0), a_pod(1)]}
    first = look(run, progress=_progress(seconds=0, percent=10), **world)
    assert first.status.columns is not None
    assert (first.status.columns.progress, first.status.columns.eta) == ("9%", "1m31s")
    known = run.model_copy(update={"status": first.status})
    soon = look(known, seconds=5, progress=_progress(seconds=5, percent=20), **world)
    assert soon.status == first.status
    later = look(known, seconds=10, progress=_progress(seconds=10, percent=30), **world)
    assert later.status.progress is not None
    assert (later.status.progress.percent, later.status.progress.stage_percent) == (29, 30)
    evaluating = look(known, seconds=5, progress=_progress(seconds=5, percent=0, stage=Stage.EVALUATING), **world)
    assert evaluating.status.stage == "Evaluating"
    assert evaluating.status.progress is not None
    assert (evaluating.status.progress.percent, evaluating.status.progress.stage_percent) == (99, 0)


def test_what_a_pod_tells_of_the_future_has_happened_now() -> None:
    """A node's clock may be ahead, and a hostile pod may say anything: what is measured with it would be 973 years long."""
    run = an_active_run(status={"timeline": {"created": stamp(NOON)}})
    ahead = NOON + timedelta(days=355_000)
    report = _progress(epoch=2).model_copy(update={"moments": StartMoments(first_step=ahead), "updated_at": ahead})
    status = look(run, children=children(run), pods=[a_pod(0), a_pod(1)], seconds=5, progress=report).status
    now = NOON + timedelta(seconds=5)
    assert status.timeline is not None
    assert status.timeline.first_step == now
    assert status.progress is not None
    assert status.progress.updated_at == now
    assert status.checkpoint is not None
    assert status.checkpoint.written_at == now


def test_a_first_step_that_nobody_heard_of_in_time_is_known_from_the_last_words() -> None:
    run = an_active_run(status={"timeline": {"created": stamp(NOON)}})
    early = _progress(percent=0).model_copy(update={"moments": StartMoments(tensorflow_ready=NOON)})
    first_step = NOON + timedelta(seconds=3)
    last = a_record(code=0, moments=StartMoments(tensorflow_ready=NOON, first_step=first_step))
    pods = [a_finished_pod(0, record=last), a_pod(1)]
    timeline = look(run, children=children(run), pods=pods, seconds=5, progress=early).status.timeline
    assert timeline is not None
    assert (timeline.tensorflow_ready, timeline.first_step) == (NOON, first_step)


def test_progress_goes_on_after_the_clock_of_a_node_was_put_back() -> None:
    started = {"timeline": {"created": stamp(NOON), "firstStep": stamp(NOON)}, "stage": "Training"}
    run = an_active_run(status=started)
    world: Any = {"children": children(run), "pods": [a_pod(0), a_pod(1)]}
    before = _progress(seconds=3600, percent=10)
    known = run.model_copy(update={"status": look(run, seconds=3600, progress=before, **world).status})
    after = _progress(seconds=60, percent=20)
    assert is_worth_a_look(before, after, looked=before.updated_at, pace=Pace())
    later = look(known, seconds=3660, progress=after, **world).status.progress
    assert later is not None
    assert later.stage_percent == 20


def test_the_progress_of_an_earlier_attempt_is_not_taken_for_this_one() -> None:
    run = an_active_run(attempt=2)
    decision = look(
        run, children=children(run, attempt=2), pods=[a_pod(0, attempt=2), a_pod(1, attempt=2)], progress=_progress()
    )
    assert decision.status.progress is None


def test_the_newest_checkpoint_remembers_who_wrote_it() -> None:
    run = an_active_run(attempt=2, status={"checkpoint": {"stage": "Training", "epoch": 3, "step": 9, "attempt": 1}})
    world: Any = {"children": children(run, attempt=2), "pods": [a_pod(0, attempt=2), a_pod(1, attempt=2)]}
    same = look(run, progress=_progress(attempt=2, epoch=3, step=9), **world).status.checkpoint
    newer = look(run, progress=_progress(attempt=2, epoch=4, step=12), **world).status.checkpoint
    assert same is not None
    assert newer is not None
    assert (same.attempt, newer.attempt) == (1, 2)


PODS = st.lists(
    st.one_of(
        st.builds(
            a_pod,
            st.integers(0, 3),
            attempt=st.integers(0, 3),
            phase=st.sampled_from(["Pending", "Running", "Unknown"]),
            ready=st.booleans(),
        ),
        st.builds(a_failed_pod, st.integers(0, 3), code=st.sampled_from([1, 64, 65, 66, 69, 70, 75, 137, 143])),
        st.builds(a_finished_pod, st.integers(0, 3), record=st.sampled_from([None, a_record(code=0, result=RESULT)])),
    ),
    max_size=4,
)


def _observed(status: dict[str, Any]) -> dict[str, Any]:
    """A status that the operator has written before."""
    return {"observedGeneration": 1, **status}


TRANSITION = {"lastTransitionTime": stamp(NOON)}
KNOWN: list[dict[str, Any]] = [
    {},
    {"attempt": 1},
    {"attempt": 2, "retryAt": stamp(NOON + timedelta(seconds=5))},
    {"attempt": 1, "stopping": {"attempt": 1, "reason": "Suspend"}},
    {"attempt": 1, "stopping": {"attempt": 1, "reason": "Fail"}},
    {"attempt": 1, "stopping": {"attempt": 1, "reason": "Rerun"}},
    {"attempt": 3, "round": 2, "rerun": "before"},
    {"attempt": 1, "conditions": [{"type": "Succeeded", "status": "True", "reason": "Completed", **TRANSITION}]},
    {"attempt": 1, "conditions": [{"type": "Succeeded", "status": "False", "reason": "BadData", **TRANSITION}]},
]
STATUSES = st.sampled_from(KNOWN).map(_observed)


@settings(max_examples=300, deadline=None)
@given(
    pods=PODS,
    status=STATUSES,
    active=st.booleans(),
    suspend=st.booleans(),
    rerun=st.sampled_from(["", "before", "again"]),
    patience=st.sampled_from([None, 0, 60]),
    lost_node=st.sampled_from(["Wait", "Replace"]),
    kinds=st.sets(st.sampled_from(["Job", "Service", "ConfigMap"])),
)
def test_every_world_gets_an_answer_that_grows_slowly_and_never_undoes_an_end(
    pods: list[Any],
    status: dict[str, Any],
    active: bool,
    suspend: bool,
    rerun: str,
    patience: int | None,
    lost_node: str,
    kinds: set[str],
) -> None:
    made = an_active_run if active else a_run
    changes: dict[str, Any] = {
        "spec__suspend": suspend,
        "spec__rerun": rerun,
        "spec__childrenTTLSecondsAfterFinished": patience,
    }
    run = made(status=status, spec__recovery={"lostNode": lost_node}, **changes)
    decision = look(run, children=[a_child(kind, run) for kind in sorted(kinds)], pods=pods)
    assert 0 <= decision.status.attempt - run.status.attempt <= 1
    assert 0 <= decision.status.round - run.status.round <= 1
    if run.status.is_finished and rerun in ("", run.status.rerun):
        assert decision.status.is_finished
        assert decision.create == ()
    if decision.status.round > run.status.round or decision.status.attempt > run.status.attempt:
        assert decision.create == (), "a number is written before anything is made under it"


def _resolved() -> dict[str, Any]:
    return {"image": "trainer:1", "strategy": "Horovod", "replicas": 2, "processesPerWorker": 1, "globalBatchSize": 128}


def _finishing_run() -> TrainingRun:
    return an_active_run()


def _finished_pods() -> list[Any]:
    return [a_finished_pod(0, record=a_record(code=0, result=RESULT)), a_finished_pod(1, record=a_record(code=0, worker=1))]


def _progress(
    *, seconds: float = 0, percent: int = 10, stage: Stage = Stage.TRAINING, attempt: int = 1, epoch: int = 0, step: int = 0
) -> ProgressReport:
    return ProgressReport(
        attempt=attempt,
        stage=stage,
        percent=percent,
        eta_seconds=90,
        updated_at=NOON + timedelta(seconds=seconds),
        checkpoint=CheckpointPosition(stage="Training", epoch=epoch, step=step) if epoch else None,
    )
