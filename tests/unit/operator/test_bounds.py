"""What pods say is untrusted, and what the operator writes must be what the CRD accepts."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import NOON, stamp
from trainingrun.api import TrainingRunStatus
from trainingrun.api.base import to_wire
from trainingrun.contract import FinalRecord, ProgressReport, Stage
from trainingrun_operator.bounds import LARGEST, REPORT_BYTES, fit, read

REPORT = {"attempt": 1, "stage": "Training", "epoch": 3, "updatedAt": stamp(NOON)}


def a_report(**changes: Any) -> ProgressReport | None:
    return read(ProgressReport, json.dumps({**REPORT, **changes}))


def test_an_honest_report_is_read_as_it_is() -> None:
    said = ProgressReport(attempt=2, stage=Stage.PRUNING, epoch=1, percent=40, updated_at=NOON)
    assert read(ProgressReport, json.dumps(to_wire(said))) == said


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "17",
        "{",
        b"\xff\xfe",
        b"\x1f\x8b\x08\x00",
        "[" * 60_000,
        '{"attempt": 1}',
        json.dumps({**REPORT, "updatedAt": "2026-01-01T00:00:20"}),
        json.dumps({**REPORT, "updatedAt": "0001-01-01T00:00:00Z"}),
        json.dumps({**REPORT, "updatedAt": "9999-12-31T23:59:59-14:00"}),
        json.dumps({**REPORT, "updatedAt": 17}),
        json.dumps({**REPORT, "attempt": "NaN"}),
        json.dumps({**REPORT, "attempt": True}),
        json.dumps({**REPORT, "attempt": float("inf")}),
        json.dumps({**REPORT, "padding": "x" * REPORT_BYTES}),
        json.dumps(REPORT)[:-1] + ', "epoch": ' + "9" * 5000 + "}",
    ],
)
def test_what_is_no_report_is_none(text: str | bytes) -> None:
    assert read(ProgressReport, text) is None


def test_a_report_keeps_what_fits() -> None:
    many = [{"name": f"metric{number}", "value": "1.0"} for number in range(40)]
    odd = [{"name": "loss", "value": value} for value in ("abc", "nan", "inf", "1e9999", "", 3)]
    report = a_report(metrics=odd + many, percent=900, epoch=10**30, checkpoint={"stage": 3}, tuning=[], moments="soon")
    assert report is not None
    assert [metric.name for metric in report.metrics] == [f"metric{number}" for number in range(40)]
    assert (report.percent, report.epoch, report.checkpoint, report.tuning) == (100, LARGEST, None, None)


def test_text_of_a_pod_holds_nothing_that_a_terminal_obeys() -> None:
    said = {"attempt": 1, "worker": 0, "exitCode": 1, "message": "\x1b[2Jgone\r\x00 \ud800 here\nthere"}
    record = read(FinalRecord, json.dumps(said))
    assert record is not None
    assert record.message == "gone ? here\nthere"


@pytest.mark.parametrize("cause", ["A" * 64, "not a word", "", "Bad\nCause", "<script>", 7])
def test_a_cause_that_is_no_reason_of_a_condition_is_none(cause: object) -> None:
    record = read(FinalRecord, json.dumps({"attempt": 1, "worker": 0, "exitCode": 1, "cause": cause, "message": "kept"}))
    assert record is not None
    assert (record.cause, record.message) == (None, "kept")


def test_items_with_the_same_key_are_one() -> None:
    """A list by key that holds a key twice is refused by the API server."""
    choices = [{"name": "training.batchSize", "value": value} for value in ("32", "64")]
    status = fit(TrainingRunStatus, {"choices": choices})
    assert status is not None
    assert [choice.value for choice in status.choices] == ["32"]


def test_a_list_is_as_long_as_it_may_be() -> None:
    metrics = [{"name": f"metric{number}", "value": "1.0"} for number in range(17)]
    status = fit(TrainingRunStatus, {"progress": {"stage": "Training", "metrics": metrics}})
    assert status is not None
    assert status.progress is not None
    assert [metric.name for metric in status.progress.metrics] == [f"metric{number}" for number in range(16)]


def test_a_status_that_fits_stays_what_it_is() -> None:
    status = TrainingRunStatus(stage="Training", attempt=3, start_time=NOON, completion_time=NOON + timedelta(hours=1))
    assert fit(TrainingRunStatus, to_wire(status)) == status


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([stamp(NOON), "Training", "1.0"]),
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=20,
)


def fields(model: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with some of a model's own fields, each with anything in it."""
    names = sorted(model.model_json_schema(by_alias=True)["properties"])
    return st.dictionaries(st.sampled_from(names), JSON)


@given(fields(ProgressReport))
def test_whatever_a_report_holds_it_is_read_within_bounds_or_not_at_all(changes: dict[str, Any]) -> None:
    report = a_report(**changes)
    assert report is None or fit(ProgressReport, to_wire(report)) is not None


@given(fields(TrainingRunStatus))
def test_whatever_a_status_holds_what_is_written_follows_the_schema(wire: dict[str, Any]) -> None:
    status = fit(TrainingRunStatus, wire)
    assert status is not None
    written = to_wire(status)
    assert TrainingRunStatus.model_validate(written) == status
    assert fit(TrainingRunStatus, written) == status
    assert all(-LARGEST <= number <= LARGEST for number in _numbers(written))


def _numbers(value: Any) -> list[int]:
    if isinstance(value, dict | list):
        return [number for each in (value.values() if isinstance(value, dict) else value) for number in _numbers(each)]
    return [value] if isinstance(value, int) else []
