"""Which models are good enough to ship, as cases."""

from typing import Any

import pytest

from trainingrun.api import Acceptance, Artifact, Result
from trainingrun_trainer.acceptance import Candidate, Judgement, shortcomings

NAN = float("nan")


def a_candidate(name: str = "small", *, accuracy: float = 0.96, loss: float = 0.2, gzipped_bytes: int = 20_000) -> Candidate:
    return Candidate(name=name, accuracy=accuracy, loss=loss, gzipped_bytes=gzipped_bytes)


FLOAT = a_candidate("model", accuracy=0.97, loss=0.1, gzipped_bytes=378_000)


def missed(candidate: Candidate, **acceptance: Any) -> tuple[str, ...]:
    return shortcomings(candidate, acceptance=Acceptance.model_validate(acceptance), float_model=FLOAT)


@pytest.mark.parametrize(
    ("what", "acceptance"),
    [
        ("accuracy at its bound", {"minimum": "0.96"}),
        ("loss at its bound", {"metric": "loss", "maximum": "0.2"}),
        ("accuracy lost, at its bound", {"maximumDegradation": "0.01"}),
        ("loss gained, at its bound", {"metric": "loss", "maximumDegradation": "0.1"}),
        ("size at its bound", {"maximumGzippedBytes": 20_000}),
    ],
)
def test_a_bound_itself_is_accepted(what: str, acceptance: dict[str, Any]) -> None:
    assert missed(a_candidate(), **acceptance) == (), what


@pytest.mark.parametrize(
    ("acceptance", "sentence"),
    [
        ({"minimum": "0.961"}, "small has accuracy 0.9600, below acceptance.minimum 0.961."),
        ({"metric": "loss", "maximum": "0.19"}, "small has loss 0.2000, above acceptance.maximum 0.19."),
        (
            {"maximumDegradation": "0.009"},
            "small has accuracy 0.9600, worse by 0.0100 than 0.9700 of the float model; acceptance.maximumDegradation allows "
            "0.009.",
        ),
        (
            {"metric": "loss", "maximumDegradation": "0.09"},
            "small has loss 0.2000, worse by 0.1000 than 0.1000 of the float model; acceptance.maximumDegradation allows 0.09.",
        ),
        (
            {"maximumGzippedBytes": 19_999},
            "small has 20000 bytes after gzip, more than acceptance.maximumGzippedBytes 19999.",
        ),
    ],
)
def test_what_is_missed_is_said_with_its_numbers(acceptance: dict[str, Any], sentence: str) -> None:
    assert missed(a_candidate(), **acceptance) == (sentence,)


def test_a_better_model_than_the_float_one_is_no_degradation() -> None:
    assert missed(a_candidate(accuracy=0.98), maximumDegradation="0") == ()


def test_a_loss_that_is_no_number_misses_every_bound() -> None:
    assert len(missed(a_candidate(loss=NAN), metric="loss", maximum="1000", maximumDegradation="1000")) == 2


def test_all_that_is_missed_is_said() -> None:
    assert len(missed(a_candidate(), minimum="0.99", maximumDegradation="0", maximumGzippedBytes=1)) == 3


SIZES = (
    a_candidate("0.5", accuracy=0.968, gzipped_bytes=50_000),
    a_candidate("0.8", accuracy=0.965, gzipped_bytes=35_000),
    a_candidate("0.9", accuracy=0.95, gzipped_bytes=21_000),
)
TWINS = (a_candidate("one"), a_candidate("other"))


@pytest.mark.parametrize(
    ("what", "candidates", "acceptance", "expected"),
    [
        ("the smallest that passes", SIZES, {"maximumDegradation": "0.005"}, "0.8"),
        ("all pass", SIZES, {"minimum": "0.5"}, "0.9"),
        ("none passes", SIZES, {"minimum": "0.99"}, None),
        ("of models as small the first", TWINS, {"minimum": "0.5"}, "one"),
    ],
)
def test_what_is_accepted_is_shipped_by_its_size(
    what: str, candidates: tuple[Candidate, ...], acceptance: dict[str, Any], expected: str | None
) -> None:
    judgement = Judgement({each.name: missed(each, **acceptance) for each in candidates})
    artifacts = tuple(
        Artifact(name=each.name, uri="", gzipped_bytes=each.gzipped_bytes, accepted=judgement.accepts(each.name))
        for each in candidates
    )
    best = Result(artifacts=artifacts).best
    assert (best and best.name) == expected, what
