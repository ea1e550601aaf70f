"""The termination message always fits, and loses what is told elsewhere before what is told nowhere else."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainingrun.api import (
    Artifact,
    BestTrial,
    CheckpointPosition,
    Choice,
    MetricValue,
    Result,
    TriedValue,
    TuningStatus,
)
from trainingrun.api.base import decimal
from trainingrun.contract import TERMINATION_MESSAGE_LIMIT, Cause, FinalRecord, StartMoments
from trainingrun.contract_version import CONTRACT
from trainingrun_trainer.agent.termination import encode

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
LATENCY = MetricValue(name="latencyMilliseconds", value="0.012")
ACCURACY = MetricValue(name="accuracy", value="0.9620")


def an_artifact(name: str, *, uri: int = 50, is_accepted: bool = True) -> Artifact:
    """An artifact with all that is said of one; `uri` is the length of its location."""
    return Artifact(
        name=name,
        uri="u" * uri,
        sha256="a" * 64,
        size_bytes=123_456,
        gzipped_bytes=23_456,
        sparsity="0.9001",
        metrics=(ACCURACY, MetricValue(name="loss", value="0.12"), LATENCY),
        accepted=is_accepted,
    )


def a_record(*, log: str = "", **result: object) -> FinalRecord:
    """The record of worker 0 with choices, a search and a result."""
    tried = tuple(TriedValue(name=f"augmentation.{number}", value="0.1") for number in range(5))
    return FinalRecord(
        contract_version=CONTRACT,
        attempt=3,
        worker=0,
        exit_code=66,
        cause=Cause.NOT_ACCEPTED,
        message="m" * 400,
        hint="h" * 150,
        log_tail=log,
        checkpoint=CheckpointPosition(stage="Quantizing", epoch=10, step=12_345),
        choices=(Choice(name="training.batchSize", value="512", reason="r" * 200),),
        tuning=TuningStatus(trials=20, completed=20, best=BestTrial(number=1, value="0.9", parameters=tried)),
        moments=StartMoments(rendezvous_done=NOON, tensorflow_ready=NOON, first_step=NOON),
        result=Result.model_validate({"metrics": (ACCURACY,), "epochs": 10, "seconds": 60, **result}),
    )


def sent(record: FinalRecord) -> FinalRecord:
    """What the operator reads."""
    return FinalRecord.model_validate_json(encode(record))


def test_a_record_that_fits_is_sent_whole() -> None:
    record = a_record(artifacts=(an_artifact("model"),))
    assert sent(record) == record


def test_the_log_is_shortened_line_by_line_before_anything_else_goes() -> None:
    record = a_record(log="\n".join(f"{line:100}" for line in range(50)))
    found = sent(record)
    assert found.log_tail.splitlines() == record.log_tail.splitlines()[-20:]
    assert found.model_copy(update={"log_tail": ""}) == record.model_copy(update={"log_tail": ""})


def test_six_artifacts_are_told_whole_with_a_message_and_a_hint() -> None:
    artifacts = tuple(an_artifact(f"pruned-0.{number}-int8", uri=120) for number in range(6))
    record = a_record(log="l" * 5000, artifacts=artifacts)
    found = sent(record)
    assert (found.result, found.message, found.hint) == (record.result, record.message, record.hint)
    assert [choice.reason for choice in found.choices] == [""]


def parts(record: FinalRecord) -> dict[str, bool]:
    """Which of the parts that may go are there."""
    result, search = record.result, record.tuning
    assert result is not None
    return {
        "the log": record.log_tail != "",
        "reasons": any(choice.reason for choice in record.choices),
        "the best trial": search is not None and search.best is not None,
        "choices": record.choices != (),
        "the search": search is not None,
        "latencies": any(LATENCY in artifact.metrics for artifact in result.artifacts),
        "the hint": record.hint != "",
        "the artifact that is not accepted": len(result.artifacts) > 1,
        "the best artifact": result.best is not None,
        "metrics": result.metrics != (),
        "the whole message": len(record.message) > 500,
    }


def test_parts_go_one_by_one_in_the_order_of_the_contract() -> None:
    artifacts = (an_artifact("small", uri=300), an_artifact("bad", uri=300, is_accepted=False))
    record = a_record(log="a line", artifacts=artifacts).model_copy(update={"message": "m" * 600})
    gone: list[str] = []
    for limit in range(len(encode(record)), len(encode(record.model_copy(update={"message": "m" * 9000}))) - 1, -5):
        found = parts(FinalRecord.model_validate_json(encode(record, limit=limit)))
        gone += [name for name, is_there in found.items() if not is_there and name not in gone]
    assert gone == list(parts(record))


@pytest.mark.parametrize("best", [0, 3, 5])
def test_of_artifacts_with_endless_uris_the_best_is_told(best: int) -> None:
    artifacts = tuple(an_artifact(f"a{number}", uri=1024, is_accepted=number == best) for number in range(6))
    found = sent(a_record(artifacts=artifacts)).result
    assert found is not None
    assert found.best is not None
    assert found.best.name == f"a{best}"
    assert LATENCY not in found.best.metrics
    assert ACCURACY in found.best.metrics


def test_the_message_is_cut_last() -> None:
    record = a_record(artifacts=(an_artifact("model"),)).model_copy(update={"message": "m" * 9000})
    found = sent(record)
    assert (found.message, found.hint) == ("m" * 500, "")
    assert found.result == Result(epochs=10, seconds=60)


def text(limit: int) -> st.SearchStrategy[str]:
    """Text of any characters, often as long as it may be."""
    characters = st.characters(exclude_categories=["Cs"])
    return st.one_of(st.text(characters, max_size=limit), st.builds(lambda character: character * limit, characters))


NUMBERS = st.floats(allow_nan=False, allow_infinity=False).map(decimal)
METRICS = st.builds(MetricValue, name=text(63), value=NUMBERS)
ARTIFACTS = st.builds(
    Artifact,
    name=text(63),
    uri=text(1024),
    sha256=text(64),
    size_bytes=st.integers(0, 2**62),
    gzipped_bytes=st.none() | st.integers(0, 2**62),
    metrics=st.lists(METRICS, max_size=6).map(tuple),
    accepted=st.none() | st.booleans(),
)
RESULTS = st.builds(
    Result, metrics=st.lists(METRICS, max_size=16).map(tuple), artifacts=st.lists(ARTIFACTS, max_size=6).map(tuple)
)
TRIED = st.lists(st.builds(TriedValue, name=text(63), value=text(63)), max_size=16).map(tuple)
SEARCHES = st.builds(
    TuningStatus,
    trials=st.integers(0, 1000),
    best=st.none() | st.builds(BestTrial, number=st.integers(0, 999), value=NUMBERS, parameters=TRIED),
)
RECORDS = st.builds(
    FinalRecord,
    attempt=st.integers(1, 2**31),
    worker=st.integers(0, 255),
    exit_code=st.integers(0, 255),
    cause=st.none() | st.sampled_from(list(Cause)),
    message=text(3000),
    hint=text(1024),
    log_tail=text(4096),
    checkpoint=st.none()
    | st.builds(CheckpointPosition, stage=text(32), epoch=st.integers(0, 10**9), step=st.integers(0, 10**12)),
    choices=st.lists(st.builds(Choice, name=text(63), value=text(24), reason=text(512)), max_size=8).map(tuple),
    tuning=st.none() | SEARCHES,
    moments=st.builds(StartMoments, rendezvous_done=st.none() | st.just(NOON), first_step=st.none() | st.just(NOON)),
    result=st.none() | RESULTS,
)


@settings(max_examples=200, deadline=None)
@given(record=RECORDS)
def test_every_record_fits_and_says_what_decides_about_the_run(record: FinalRecord) -> None:
    encoded = encode(record)
    assert len(encoded) <= TERMINATION_MESSAGE_LIMIT
    found = FinalRecord.model_validate_json(encoded)
    decisive = {"attempt", "worker", "exit_code", "cause", "checkpoint", "moments"}
    assert found.model_dump(include=decisive) == record.model_dump(include=decisive)
    assert (found.result is None) == (record.result is None)
    assert record.message.startswith(found.message)
    if found.hint != record.hint:
        assert (found.log_tail, found.choices, found.tuning) == ("", (), None)
    if found.result is not None and record.result is not None and found.result.artifacts and record.result.best is not None:
        assert found.result.best is not None
        assert found.result.best.name == record.result.best.name
