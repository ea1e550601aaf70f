"""What Prometheus is told: right after a restart and after deletions, bounded, and nothing that a pod has said."""

import asyncio
import importlib.metadata
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest

from tests.builders import NOON, an_active_run, stamp
from trainingrun.api import Account, TrainingRunStatus
from trainingrun.version import VERSION
from trainingrun_operator.control.controller import Controller
from trainingrun_operator.control.queue import WorkQueue
from trainingrun_operator.control.survey import Hearing, Survey
from trainingrun_operator.metrics import Metrics
from trainingrun_operator.metrics.catalog import LABELS
from trainingrun_operator.metrics.counting import count
from trainingrun_operator.metrics.fleet import STATUSES
from trainingrun_operator.pace import Timing

ROOT = Path(__file__).parent.parent.parent.parent


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def a_status(word: str = "Running", **fields: Any) -> TrainingRunStatus:
    return TrainingRunStatus.model_validate({"columns": {"status": word}, **fields})


def holding(account: str, *, gpus: int = 4, accelerator: str = "GPU") -> TrainingRunStatus:
    resolved = an_active_run(status={}).status.resolved
    assert resolved is not None
    told = {**resolved.model_dump(by_alias=True), "accelerator": accelerator, "accelerators": gpus}
    return a_status(resolved=told, ledger={"account": account, "acceleratorsHeld": gpus, "heldSince": stamp(NOON)})


def a_raw(name: str, *, version: str = "1", word: str = "Running", **metadata: str) -> dict[str, Any]:
    about = {"namespace": "team", "name": name, "resourceVersion": version, **metadata}
    return {"metadata": about, "status": {"columns": {"status": word}}}


def test_nothing_is_said_of_runs_before_all_have_been_listed() -> None:
    metrics = Metrics()
    metrics.note(("team", "mnist"), a_status())
    assert value(metrics, "trainingrun_runs", namespace="team", status="Running") is None
    metrics.survey({("team", "mnist"): a_status()})
    assert value(metrics, "trainingrun_runs", namespace="team", status="Running") == 1
    assert value(metrics, "trainingrun_runs", namespace="team", status="Stalled") == 0


def test_a_run_that_is_gone_is_not_counted_and_neither_is_its_namespace() -> None:
    metrics = Metrics()
    metrics.survey({("team", "mnist"): a_status(), ("other", "mnist"): a_status("Queued")})
    metrics.fleet.forget(("team", "mnist"))
    assert value(metrics, "trainingrun_runs", namespace="team", status="Running") is None
    assert value(metrics, "trainingrun_runs", namespace="other", status="Queued") == 1


def test_a_run_is_counted_once_in_the_status_that_it_has_now() -> None:
    metrics = Metrics()
    metrics.survey({("team", "mnist"): a_status("Running")})
    metrics.note(("team", "mnist"), a_status("Succeeded"))
    counts = {status: value(metrics, "trainingrun_runs", namespace="team", status=status) for status in STATUSES}
    assert counts == {**dict.fromkeys(STATUSES, 0), "Succeeded": 1}


@pytest.mark.parametrize(("status", "label"), [(TrainingRunStatus(), "New"), (a_status("Hibernating"), "Other")])
def test_a_status_without_a_word_or_with_a_newer_one_has_a_label(status: TrainingRunStatus, label: str) -> None:
    metrics = Metrics()
    metrics.survey({("team", "mnist"): status})
    assert value(metrics, "trainingrun_runs", namespace="team", status=label) == 1


@pytest.mark.parametrize(
    ("account", "use"),
    [("Training", "training"), ("Tuning", "training"), ("Starting", "starting"), ("Lost", "idle"), ("Queued", "idle")],
)
def test_accelerators_are_counted_by_what_their_run_does_with_them(account: str, use: str) -> None:
    metrics = Metrics()
    metrics.survey({("team", "a"): holding(account), ("team", "b"): holding(account, gpus=1)})
    uses = {
        each: value(metrics, "trainingrun_accelerators", namespace="team", accelerator="GPU", use=each)
        for each in ("training", "starting", "idle")
    }
    assert uses == {**dict.fromkeys(uses, 0), use: 5}


def test_accelerators_have_no_names_but_those_of_the_api() -> None:
    metrics = Metrics()
    metrics.survey({("team", "a"): holding("Training", accelerator="x" * 16)})
    assert value(metrics, "trainingrun_accelerators", namespace="team", accelerator="Other", use="training") == 4


def test_seconds_are_counted_by_stage_and_what_is_lost_by_its_cause() -> None:
    metrics = Metrics()
    before = a_status(ledger={"account": "Training", "since": stamp(NOON), "trainingSeconds": 5})
    after = a_status(
        ledger={"account": "Lost", "trainingSeconds": 35, "lostSeconds": 10}, failure={"cause": "OOMKilled", "message": "m"}
    )
    count(metrics, before, after, namespace="team", now=NOON)
    assert value(metrics, "trainingrun_stage_seconds_total", namespace="team", stage="Training") == 30
    assert value(metrics, "trainingrun_lost_seconds_total", namespace="team", cause="OOMKilled") == 10


def test_a_cause_that_only_a_trainer_image_knows_is_other() -> None:
    metrics = Metrics()
    after = a_status(ledger={"account": "Lost", "lostSeconds": 1}, failure={"cause": "Mine123", "message": "m"}, restarts=1)
    count(metrics, a_status(), after, namespace="team", now=NOON)
    assert value(metrics, "trainingrun_lost_seconds_total", namespace="team", cause="Other") == 1
    assert value(metrics, "trainingrun_restarts_total", namespace="team", cause="Other") == 1


def test_the_time_of_a_round_that_is_replaced_is_counted_once() -> None:
    """The new round begins an empty ledger: nothing of it is negative, and what was open is closed."""
    metrics = Metrics()
    since = stamp(NOON.replace(hour=11))
    before = a_status(round=1, ledger={"account": "Training", "since": since, "trainingSeconds": 50, "queuedSeconds": 9})
    after = a_status(round=2, ledger={"account": "Queued", "since": stamp(NOON)})
    count(metrics, before, after, namespace="team", now=NOON)
    assert value(metrics, "trainingrun_stage_seconds_total", namespace="team", stage="Training") == 3600
    assert value(metrics, "trainingrun_stage_seconds_total", namespace="team", stage="Queued") is None


def test_a_wait_is_observed_when_the_attempt_starts() -> None:
    metrics = Metrics()
    queued = a_status("Queued", ledger={"account": "Queued", "since": stamp(NOON), "queuedSeconds": 7})
    count(metrics, queued, queued, namespace="team", now=NOON)
    assert value(metrics, "trainingrun_queue_wait_seconds_count") == 0
    started = a_status("Starting", ledger={"account": "Starting", "since": stamp(NOON), "queuedSeconds": 97})
    count(metrics, queued, started, namespace="team", now=NOON)
    assert value(metrics, "trainingrun_queue_wait_seconds_sum") == 90


@pytest.mark.parametrize(("succeeded", "outcome"), [("True", "succeeded"), ("False", "failed")])
def test_the_end_of_a_run_is_counted_with_how_long_it_took(succeeded: str, outcome: str) -> None:
    metrics = Metrics()
    condition = {"type": "Succeeded", "status": succeeded, "reason": "R", "lastTransitionTime": stamp(NOON)}
    times = {"startTime": stamp(NOON.replace(hour=11)), "completionTime": stamp(NOON)}
    after = a_status(conditions=[condition], failure={"cause": "BadData", "message": "m"}, **times)
    metrics.note(("team", "mnist"), a_status())
    assert value(metrics, "trainingrun_finished_total", namespace="team", outcome=outcome) == 0
    count(metrics, a_status(), after, namespace="team", now=NOON)
    count(metrics, after, after, namespace="team", now=NOON)
    assert value(metrics, "trainingrun_finished_total", namespace="team", outcome=outcome) == 1
    assert value(metrics, "trainingrun_duration_seconds_sum", outcome=outcome) == 3600
    failures = value(metrics, "trainingrun_failures_total", namespace="team", cause="BadData")
    assert failures == (1 if outcome == "failed" else None)


def test_a_listing_says_what_there_is_and_leaves_out_what_is_being_deleted() -> None:
    metrics = Metrics()
    survey = Survey(metrics, Hearing(metrics), now=lambda: NOON)
    survey.note([a_raw("a"), a_raw("b", word="Queued"), a_raw("c", deletionTimestamp=stamp(NOON))])
    survey.note([a_raw("b", word="Queued")])
    assert value(metrics, "trainingrun_runs", namespace="team", status="Running") == 0
    assert value(metrics, "trainingrun_runs", namespace="team", status="Queued") == 1
    assert value(metrics, "trainingrun_operator_resync_timestamp_seconds") == NOON.timestamp()


def test_a_status_that_cannot_be_read_stops_no_survey() -> None:
    metrics = Metrics()
    Survey(metrics, Hearing(metrics), now=lambda: NOON).note([{**a_raw("a"), "status": {"columns": 7}}])
    assert value(metrics, "trainingrun_runs", namespace="team", status="New") == 1


@pytest.mark.parametrize(
    ("told", "missed"),
    [([], 1), (["2"], 0), (["3"], 0)],
    ids=["the watch is deaf", "it tells later", "it was ahead of the listing"],
)
def test_a_change_is_missed_when_no_watch_tells_of_it_until_the_next_listing(told: list[str], missed: int) -> None:
    metrics = Metrics()
    hearing, key = Hearing(metrics), ("team", "mnist")
    hearing.run(key, version="1")
    hearing.compare({key: "1"})
    hearing.compare({key: "2"})
    for version in told:
        hearing.run(key, version=version)
    hearing.compare({key: told[-1] if told else "2"})
    assert value(metrics, "trainingrun_operator_watch_missed_total") == missed
    hearing.compare({})
    assert value(metrics, "trainingrun_operator_watch_missed_total") == missed


def test_a_watch_that_was_ahead_of_a_listing_has_missed_nothing() -> None:
    metrics = Metrics()
    hearing, key = Hearing(metrics), ("team", "mnist")
    hearing.run(key, version="3")
    hearing.compare({key: "2"})
    hearing.compare({key: "3"})
    assert value(metrics, "trainingrun_operator_watch_missed_total") == 0


def test_every_metric_is_described_and_follows_the_conventions_of_prometheus() -> None:
    metrics = Metrics()
    exposed = {family.name + ("_total" if family.type == "counter" else "") for family in metrics.registry.collect()}
    assert exposed == {each.name for each in metrics.described}
    for each in metrics.described:
        assert each.name.startswith("trainingrun_")
        assert each.name.endswith("_total") == (each.kind == "counter"), each.name
        assert each.kind != "histogram" or each.name.endswith("_seconds"), each.name
        assert each.meaning.endswith("."), each.name
        assert set(each.labels) <= LABELS.keys(), each.name


def test_there_are_no_series_of_when_a_counter_was_created() -> None:
    assert b"_created" not in generate_latest(Metrics().registry)


def test_every_account_has_its_seconds() -> None:
    after = a_status(ledger={f"{account.lower()}Seconds": 1 for account in Account})
    metrics = Metrics()
    count(metrics, a_status(), after, namespace="team", now=NOON)
    for account in set(Account) - {Account.LOST}:
        assert value(metrics, "trainingrun_stage_seconds_total", namespace="team", stage=account) == 1


def test_the_version_is_that_of_the_distribution() -> None:
    assert importlib.metadata.version("trainingrun-operator") == VERSION
    assert value(Metrics(), "trainingrun_operator_build_info", version=VERSION, contract="2") == 1


async def test_the_depth_and_the_wait_of_the_queue_are_as_they_are_when_somebody_asks() -> None:
    metrics = Metrics()
    queue: WorkQueue[tuple[str, str]] = WorkQueue(timing=Timing(), on_taken=metrics.queue_wait.observe)

    async def nothing(_: tuple[str, str]) -> float | None:
        return None

    Controller(nothing, queue=queue, metrics=metrics)
    queue.add(("team", "mnist"))
    assert value(metrics, "trainingrun_operator_work_queue_depth") == 1
    await asyncio.sleep(0)
    queue.done(await queue.take())
    assert value(metrics, "trainingrun_operator_work_queue_depth") == 0
    assert value(metrics, "trainingrun_operator_work_queue_wait_seconds_count") == 1
