"""What the operator makes of a search, of a judged model, and of the time that both took."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.builders import CONFIG, NOON, a_claim, a_failed_pod, a_finished_pod, a_pod, a_record, an_active_run, children, stamp
from trainingrun.api import Artifact, BestTrial, CheckpointPosition, MetricValue, Result, TrainingRun, TriedValue, TuningStatus
from trainingrun.contract import Cause, ProgressReport, Stage, StartMoments
from trainingrun_operator.decide import decide
from trainingrun_operator.decision import Decision
from trainingrun_operator.observe import observe

LARGE = Artifact(name="model", uri="pvc://models/model", size_bytes=900_000, accepted=True)
SMALL = Artifact(
    name="int8-0.9",
    uri="pvc://models/int8-0.9.tflite",
    size_bytes=96_000,
    gzipped_bytes=21_000,
    metrics=(MetricValue(name="accuracy", value="0.9620"), MetricValue(name="loss", value="0.1200")),
    accepted=True,
)
TINY = Artifact(name="int8-0.95", uri="pvc://models/int8-0.95.tflite", size_bytes=13_000, accepted=False)
RESULT = Result(metrics=(MetricValue(name="test_accuracy", value="0.9500"),), artifacts=(LARGE, SMALL, TINY), epochs=3)
MISSED = "No model is accepted: int8-0.95 has an accuracy of 0.9190, and acceptance.minimum is 0.95."
ACCEPTANCE: dict[str, Any] = {"spec__acceptance": {"minimum": 0.95}}
STARTED: dict[str, Any] = {"timeline": {"created": stamp(NOON), "firstStep": stamp(NOON)}}


def look(run: TrainingRun, *, seconds: float = 0, progress: ProgressReport | None = None, **world: Any) -> Decision:
    """Decide on a run in a world, some seconds after noon."""
    observed = observe(
        children=world.get("children", children(run, attempt=run.status.attempt)),
        pods=world["pods"],
        claims={"models": a_claim()},
        progress=progress,
    )
    return decide(run, observed, now=NOON + timedelta(seconds=seconds), config=CONFIG)


def after(run: TrainingRun, decision: Decision) -> TrainingRun:
    """The run with the status that was decided."""
    return run.model_copy(update={"status": decision.status})


def not_accepted(*, result: Result | None = RESULT) -> list[Any]:
    """Pods of a gang whose model was judged and not accepted."""
    said: dict[str, Any] = {"cause": Cause.NOT_ACCEPTED, "message": MISSED}
    return [
        a_failed_pod(0, code=66, record=a_record(code=66, result=result, **said)),
        a_failed_pod(1, code=66, record=a_record(code=66, worker=1, **said)),
    ]


def accepted(decision: Decision) -> tuple[str, str, str] | None:
    """Status, reason and message of ModelAccepted."""
    found = decision.status.condition("ModelAccepted")
    return (found.status, found.reason, found.message) if found is not None else None


def searching(completed: int, *, seconds: float = 0, attempt: int = 1, pruned: int = 0, failed: int = 0) -> ProgressReport:
    """A report from the search."""
    best = BestTrial(number=0, value="0.9", parameters=(TriedValue(name="training.batchSize", value="64"),))
    return ProgressReport(
        attempt=attempt,
        stage=Stage.TUNING,
        tuning=TuningStatus(trials=20, completed=completed, pruned=pruned, failed=failed, best=best),
        updated_at=NOON + timedelta(seconds=seconds),
    )


@pytest.mark.parametrize("restarts", [0, 3])
def test_a_model_that_is_not_accepted_ends_the_run_and_keeps_its_result(restarts: int) -> None:
    run = an_active_run(**ACCEPTANCE, status={"restarts": restarts})
    stopping = look(run, pods=not_accepted())
    assert stopping.status.stopping is not None
    assert stopping.status.stopping.reason == "Fail"
    assert stopping.status.result == RESULT
    assert accepted(stopping) == ("False", "NotAccepted", MISSED)
    ended = look(after(run, stopping), pods=[])  # whatever becomes of the pods, the result was written with the intent
    assert ended.status.result == RESULT
    assert ended.status.failure is not None
    assert (ended.status.failure.cause, ended.status.failure.message) == ("NotAccepted", MISSED)
    assert {each.type: each.status for each in ended.status.conditions} == {
        "Succeeded": "False",
        "Ready": "False",
        "Stalled": "True",
        "Suspended": "False",
        "Admitted": "True",
        "PodsReady": "False",
        "ModelAccepted": "False",
    }
    assert accepted(ended) == ("False", "NotAccepted", MISSED)
    assert ended.status.columns is not None
    assert (ended.status.columns.status, ended.status.columns.metric) == ("Failed", "test_accuracy=0.950")


def test_a_verdict_counts_whatever_befell_another_worker() -> None:
    pods = [not_accepted()[0], a_failed_pod(1, code=137, reason="OOMKilled")]
    stopping = look(an_active_run(**ACCEPTANCE), pods=pods).status.stopping
    assert stopping is not None
    assert stopping.failure is not None
    assert (stopping.reason, stopping.failure.cause) == ("Fail", "NotAccepted")


@pytest.mark.parametrize("late", [{"spec__activeDeadlineSeconds": 30}, {"spec__suspend": True}], ids=["deadline", "suspension"])
def test_a_verdict_counts_whatever_is_asked_for_afterwards(late: dict[str, Any]) -> None:
    stopping = look(an_active_run(**ACCEPTANCE, **late), pods=not_accepted()).status.stopping
    assert stopping is not None
    assert stopping.failure is not None
    assert (stopping.reason, stopping.failure.cause) == ("Fail", "NotAccepted")


def test_a_verdict_of_the_round_before_is_none_of_the_next() -> None:
    run = an_active_run(**ACCEPTANCE, status={"resolved": None, "clock": None, "round": 2, "observedGeneration": 1})
    assert look(run, children=[], pods=not_accepted()).status.attempt == 2


def test_a_verdict_counts_however_its_container_ended() -> None:
    record = a_record(code=66, cause=Cause.NOT_ACCEPTED, message=MISSED, result=RESULT)
    stopping = look(an_active_run(workers=1), pods=[a_failed_pod(0, code=137, record=record)]).status.stopping
    assert stopping is not None
    assert stopping.reason == "Fail"


def test_a_verdict_without_a_result_is_final_too() -> None:
    decision = look(an_active_run(**ACCEPTANCE), pods=not_accepted(result=None))
    assert decision.status.stopping is not None
    assert (decision.status.stopping.reason, decision.status.result) == ("Fail", None)


@pytest.mark.parametrize(("cause", "reason"), [("TuningFailed", "Fail"), ("RankFailed", "Restart")])
def test_a_search_in_which_all_trials_failed_is_not_tried_again(cause: str, reason: str) -> None:
    pods = [a_failed_pod(index, code=70, record=a_record(code=70, worker=index, cause=cause)) for index in (0, 1)]
    stopping = look(an_active_run(), pods=pods).status.stopping
    assert stopping is not None
    assert stopping.reason == reason


def test_the_smallest_accepted_artifact_is_named_with_its_numbers() -> None:
    pods = [a_finished_pod(0, record=a_record(code=0, result=RESULT)), a_finished_pod(1, record=a_record(code=0, worker=1))]
    message = "int8-0.9 is accepted: accuracy 0.9620, loss 0.1200, 96000 bytes, 21000 bytes compressed with gzip."
    assert accepted(look(an_active_run(**ACCEPTANCE), pods=pods)) == ("True", "Accepted", message)


def test_a_trainer_that_judges_nothing_is_not_believed_to_have_accepted() -> None:
    result = Result(artifacts=(LARGE.model_copy(update={"accepted": None}),))
    pods = [a_finished_pod(0, record=a_record(code=0, result=result))]
    decision = look(an_active_run(**ACCEPTANCE, workers=1), pods=pods)
    assert accepted(decision) == ("Unknown", "NotJudged", "The run ended before its model was judged.")


def test_nothing_is_said_of_a_model_that_nobody_wants_to_be_judged() -> None:
    assert accepted(look(an_active_run(), pods=[a_pod(0), a_pod(1)])) is None


def test_a_model_is_judged_at_the_end() -> None:
    decision = look(an_active_run(**ACCEPTANCE), pods=[a_pod(0), a_pod(1)])
    assert accepted(decision) == ("Unknown", "NotJudged", "The model is judged at the end of the run.")


def test_the_search_is_written_with_the_progress_and_remembers_who_ended_its_newest_trial() -> None:
    pods = [a_pod(0), a_pod(1)]
    first = look(run := an_active_run(status=STARTED), pods=pods, progress=searching(2))
    assert first.status.tuning is not None
    assert (first.status.stage, first.status.tuning.completed, first.status.tuning.attempt) == ("Tuning", 2, 1)
    assert first.status.tuning.recorded_at == NOON
    soon = look(after(run, first), seconds=5, pods=pods, progress=searching(3, seconds=5))
    assert soon.status == first.status
    later = look(after(run, first), seconds=10, pods=pods, progress=searching(2, failed=1, seconds=10))
    assert later.status.tuning is not None
    assert (later.status.tuning.failed, later.status.tuning.recorded_at) == (1, NOON)


def test_while_there_is_no_model_the_column_shows_what_the_best_trial_has_reached() -> None:
    rates = {"name": "training.batchSize", "categorical": [32, 64]}
    run = an_active_run(status=STARTED, spec__tuning={"parameters": [rates]})
    searched = look(run, pods=[a_pod(0), a_pod(1)], progress=searching(2))
    assert searched.status.columns is not None
    assert searched.status.columns.metric == "val_accuracy=0.900"
    trained = searching(2).model_copy(update={"metrics": (MetricValue(name="val_loss", value="0.5"),), "stage": Stage.TRAINING})
    later = look(run, pods=[a_pod(0), a_pod(1)], progress=trained)
    assert later.status.columns is not None
    assert later.status.columns.metric == "val_loss=0.500"


def test_the_last_word_of_a_worker_says_more_than_its_last_report() -> None:
    last = a_record(code=70, cause="RankFailed", tuning=TuningStatus(trials=20, completed=2, failed=3))
    pods = [a_failed_pod(0, code=70, record=last), a_failed_pod(1, code=69)]
    decision = look(an_active_run(), pods=pods, progress=searching(2))
    assert decision.status.tuning is not None
    assert decision.status.tuning.failed == 3


def test_an_attempt_that_finds_the_trials_of_the_one_before_has_not_ended_them() -> None:
    known = {"tuning": {"trials": 20, "completed": 5, "attempt": 1, "recordedAt": stamp(NOON)}}
    run = an_active_run(attempt=2, status={**STARTED, **known})
    decision = look(run, pods=[a_pod(0, attempt=2), a_pod(1, attempt=2)], progress=searching(5, attempt=2, seconds=60))
    assert decision.status.tuning is not None
    assert (decision.status.tuning.attempt, decision.status.tuning.recorded_at) == (1, NOON)


@pytest.mark.parametrize(("attempt", "reason"), [(1, "Restart"), (0, "Fail")], ids=["a trial", "no trial"])
def test_an_attempt_that_ended_a_trial_has_made_progress(attempt: int, reason: str) -> None:
    known = {"tuning": {"trials": 20, "completed": 5, "attempt": attempt}, "restarts": 3}
    pods = [a_failed_pod(index, code=70, record=a_record(code=70, worker=index, cause="RankFailed")) for index in (0, 1)]
    stopping = look(an_active_run(status=known), pods=pods).status.stopping
    assert stopping is not None
    assert stopping.reason == reason


def test_it_is_said_where_the_next_attempt_goes_on() -> None:
    stopping = {"attempt": 1, "reason": "Restart", "countsAsRestart": True, "failure": {"cause": "RankFailed"}}
    searched = {"stopping": stopping, "tuning": {"trials": 20, "completed": 4, "pruned": 1}}
    resting = look(an_active_run(status=searched), children=[], pods=[])
    assert "tuning goes on after 5 of 20 trials" in resting.status.conditions[0].message
    pruned = {**searched, "checkpoint": {"stage": "Pruning", "epoch": 1, "attempt": 1}}
    resting = look(an_active_run(status=pruned), children=[], pods=[])
    assert "pruning goes on after epoch 1" in resting.status.conditions[0].message


def test_a_queued_attempt_goes_on_from_the_checkpoint_of_the_words_that_its_pods_have_left() -> None:
    run = an_active_run(status={"checkpoint": {"stage": "Training", "epoch": 3, "attempt": 1}})
    known = children(run)
    known[-1]["spec"] = {"suspend": True}
    position = CheckpointPosition(stage="Training", epoch=4, step=40)
    last = a_record(code=75, cause="Interrupted", checkpoint=position)
    status = look(run, children=known, pods=[a_failed_pod(0, code=75, record=last)]).status
    assert status.checkpoint is not None
    assert status.checkpoint.epoch == 4
    assert "training goes on after epoch 4" in status.conditions[0].message


@pytest.mark.parametrize(
    ("stage", "epoch", "newest"),
    [("Pruning", 1, "Pruning"), ("Training", 10, "Training"), ("Training", 9, "Training")],
    ids=["a later stage", "the same", "an earlier epoch"],
)
def test_the_first_epoch_of_a_later_stage_goes_further_than_the_last_of_an_earlier(stage: str, epoch: int, newest: str) -> None:
    run = an_active_run(status={**STARTED, "checkpoint": {"stage": "Training", "epoch": 10, "step": 100, "attempt": 1}})
    position = CheckpointPosition(stage=stage, epoch=epoch, step=epoch * 10)
    report = ProgressReport(attempt=1, stage=Stage.PRUNING, checkpoint=position, updated_at=NOON)
    found = look(run, pods=[a_pod(0), a_pod(1)], progress=report).status.checkpoint
    assert found is not None
    assert (found.stage, found.epoch) == (newest, 1 if newest == "Pruning" else 10)


@pytest.mark.parametrize(
    ("stage", "account"),
    [
        (Stage.CHOOSING, "Training"),
        (Stage.TUNING, "Tuning"),
        (Stage.TRAINING, "Training"),
        (Stage.PRUNING, "Compressing"),
        (Stage.QUANTIZING, "Compressing"),
        (Stage.EVALUATING, "Evaluating"),
    ],
)
def test_the_time_of_each_stage_has_an_account(stage: Stage, account: str) -> None:
    run = an_active_run(status={**STARTED, "ledger": {"account": "Starting", "since": stamp(NOON - timedelta(seconds=9))}})
    report = ProgressReport(attempt=1, stage=stage, updated_at=NOON)
    ledger = look(run, pods=[a_pod(0), a_pod(1)], progress=report).status.ledger
    assert ledger is not None
    assert (ledger.account, ledger.starting_seconds) == (account, 9)


@pytest.mark.parametrize(("first_step", "account"), [(NOON, "Tuning"), (None, "Starting")], ids=["trains", "does not yet"])
def test_a_gang_that_takes_steps_has_started_before_its_kubelets_say_so(first_step: datetime | None, account: str) -> None:
    run = an_active_run(status={"ledger": {"account": "Starting", "since": stamp(NOON - timedelta(seconds=9))}})
    report = ProgressReport(attempt=1, stage=Stage.TUNING, moments=StartMoments(first_step=first_step), updated_at=NOON)
    status = look(run, pods=[a_pod(0, ready=False), a_pod(1, ready=False)], progress=report).status
    assert status.columns is not None
    assert status.columns.status == "Starting"
    assert status.ledger is not None
    assert status.ledger.account == account


def test_all_stages_are_good_for_something() -> None:
    seconds = {"tuningSeconds": 20, "trainingSeconds": 20, "compressingSeconds": 20, "startingSeconds": 20}
    ledger = {"account": "Evaluating", "since": stamp(NOON - timedelta(seconds=20)), **seconds}
    pods = [a_finished_pod(0, record=a_record(code=0, result=RESULT)), a_finished_pod(1, record=a_record(code=0, worker=1))]
    found = look(an_active_run(status={"ledger": ledger}), pods=pods).status.ledger
    assert found is not None
    assert (found.evaluating_seconds, found.goodput_percent) == (20, 80)


def test_nothing_is_lost_of_a_model_that_is_not_accepted() -> None:
    ledger = {"account": "Compressing", "since": stamp(NOON - timedelta(seconds=20)), "startingSeconds": 20}
    stopping = look(an_active_run(**ACCEPTANCE, status={"ledger": ledger}), pods=not_accepted())
    found = look(after(an_active_run(**ACCEPTANCE), stopping), pods=not_accepted()).status.ledger
    assert found is not None
    assert (found.account, found.compressing_seconds, found.lost_seconds, found.goodput_percent) == ("", 20, 0, 50)


def test_only_the_time_after_the_newest_trial_is_lost() -> None:
    known = {
        "ledger": {"account": "Tuning", "since": stamp(NOON - timedelta(seconds=50))},
        "tuning": {"trials": 20, "completed": 5, "attempt": 1, "recordedAt": stamp(NOON - timedelta(seconds=20))},
    }
    pods = [a_failed_pod(index, code=70, record=a_record(code=70, worker=index, cause="RankFailed")) for index in (0, 1)]
    ledger = look(an_active_run(status=known), pods=pods).status.ledger
    assert ledger is not None
    assert (ledger.account, ledger.tuning_seconds, ledger.lost_seconds) == ("Lost", 30, 20)
