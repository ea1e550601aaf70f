"""When an attempt begins, when it is over, and when it is looked at again."""

from datetime import timedelta
from typing import Any

import pytest

from tests.builders import CONFIG, NOON, a_claim, a_finished_pod, a_pod, a_record, a_run, an_active_run, children, stamp
from trainingrun.api import MetricValue, Result, TrainingRun
from trainingrun_operator.decide import decide
from trainingrun_operator.decision import Decision
from trainingrun_operator.observe import observe

RECORD = a_record(code=0, result=Result(metrics=(MetricValue(name="val_accuracy", value="0.9730"),), epochs=3))


def look(run: TrainingRun, **world: Any) -> Decision:
    observed = observe(children=world.get("children", ()), pods=world.get("pods", ()), claims={"models": a_claim()})
    return decide(run, observed, now=NOON + timedelta(seconds=world.get("seconds", 0)), config=CONFIG)


def state(decision: Decision) -> str:
    assert decision.status.columns is not None
    return decision.status.columns.status


@pytest.mark.parametrize("reason", ["Restart", "Suspend", "Rerun", "Fail"])
def test_what_comes_after_an_attempt_waits_for_its_last_pod(reason: str) -> None:
    stopping = {"attempt": 1, "reason": reason, "failure": {"cause": "RankFailed", "message": "It failed."}}
    run = an_active_run(status={"stopping": stopping})
    saving = [a_pod(0, deleting=True), a_finished_pod(1)]
    assert state(look(run, children=children(run, without=("Job",)), pods=saving)) == "Stopping"
    assert state(look(run, children=children(run, without=("Job",)), pods=[a_finished_pod(1)])) != "Stopping"


@pytest.mark.parametrize("seconds", [0, 60])
def test_a_run_has_not_succeeded_while_a_worker_still_runs(seconds: int) -> None:
    run = an_active_run()
    decision = look(run, children=children(run), pods=[a_finished_pod(0, record=RECORD), a_pod(1)], seconds=seconds)
    assert (state(decision), decision.status.result) == ("Running", None)


def test_a_run_began_with_its_first_attempt() -> None:
    begun = NOON - timedelta(hours=2)
    assert look(a_run(status={"attempt": 1, "startTime": stamp(begun)})).status.start_time == begun
    assert look(a_run()).status.start_time == NOON


def test_a_gang_that_has_trained_is_not_starting_again_when_no_worker_answers_its_probe() -> None:
    run = an_active_run(status={"timeline": {"created": stamp(NOON - timedelta(hours=2)), "firstStep": stamp(NOON)}})
    silent = [a_pod(0, ready=False), a_pod(1, ready=False)]
    assert state(look(run, children=children(run), pods=silent)) == "Running"


@pytest.mark.parametrize(("start_timeout", "deadline", "expected"), [(600, 100, 40), (80, 1000, 30)])
def test_of_two_moments_to_look_again_the_nearest_counts(start_timeout: int, deadline: int, expected: float) -> None:
    run = an_active_run(spec__activeDeadlineSeconds=deadline, spec__recovery={"startTimeoutSeconds": start_timeout})
    starting = [a_pod(0, ready=False), a_pod(1, ready=False)]
    assert look(run, children=children(run), pods=starting).requeue_after == pytest.approx(expected)


def test_the_time_to_live_of_a_runs_objects_begins_with_its_end() -> None:
    run = an_active_run(spec__childrenTTLSecondsAfterFinished=600, status={"startTime": stamp(NOON - timedelta(hours=2))})
    pods = [a_finished_pod(0, record=RECORD), a_finished_pod(1)]
    finished = run.model_copy(update={"status": look(run, children=children(run), pods=pods).status})
    decision = look(finished, children=children(run), pods=pods)
    assert (state(decision), decision.delete, decision.requeue_after) == ("Succeeded", (), 600)
