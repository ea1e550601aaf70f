"""Lines about epochs: what is printed is read again, whatever stands around it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainingrun.curves import Epoch, epochs, read

METRICS = {"loss": 0.4609, "accuracy": 0.8559, "val_loss": 0.2365, "val_accuracy": 0.931}
NAMES = st.from_regex(r"[a-z_]{1,20}", fullmatch=True).filter(lambda name: name not in ("epoch", "stage", "course", "repeated"))
NUMBERS = st.floats(-1e30, 1e30, allow_nan=False)


def test_a_line_is_for_people_too() -> None:
    assert Epoch(3, "Pruning", METRICS, course="pruned-0.8").line() == (
        "epoch=3 stage=Pruning course=pruned-0.8 loss=0.4609 accuracy=0.8559 val_loss=0.2365 val_accuracy=0.9310"
    )
    assert (
        Epoch(1, "Training", {"loss": 1.25e-5}, is_repeated=True).line()
        == "epoch=1 stage=Training repeated=true loss=1.250e-05"
    )


@given(number=st.integers(1, 10**6), metrics=st.dictionaries(NAMES, NUMBERS, min_size=1), is_repeated=st.booleans())
def test_what_is_printed_is_read_again(number: int, metrics: dict[str, float], is_repeated: bool) -> None:
    said = Epoch(number, "Quantizing", metrics, course="pruned-0.8-int8-aware", is_repeated=is_repeated)
    found = read(f"[rank 0] {said.line()}\n")
    assert found is not None
    assert (found.number, found.stage, found.course, found.is_repeated) == (number, "Quantizing", said.course, is_repeated)
    assert found.metrics == pytest.approx(metrics, rel=1e-3, abs=6e-5)


@given(st.text(max_size=200))
def test_no_other_line_is_a_fault(text: str) -> None:
    found = read(text)
    assert found is None or all(map(math.isfinite, found.metrics.values()))


@pytest.mark.parametrize(
    "line", ["", "epoch 3: loss 0.1", "epoch=3", "epoch=x stage=Training loss=1", "the epoch=3 stage=Training loss=1 was good"]
)
def test_what_is_no_such_line_is_none(line: str) -> None:
    assert read(line) is None


def test_values_that_are_no_points_of_a_curve_are_left_out() -> None:
    found = read("epoch=3 stage=Training loss=nan accuracy=inf val_loss=0.5 note=good")
    assert found is not None
    assert found.metrics == {"val_loss": 0.5}


def test_an_epoch_counts_once_and_courses_follow_one_another() -> None:
    log = [
        Epoch(1, "Training", {"loss": 2.0}).line(),
        "something else",
        Epoch(2, "Training", {"loss": 1.0}).line(),
        Epoch(1, "Pruning", {"loss": 0.9}, course="pruned-0.5").line(),
        "--- attempt 2, after OOMKilled ---",
        Epoch(1, "Training", {"loss": 2.0}, is_repeated=True).line(),
        Epoch(2, "Training", {"loss": 1.1}).line(),
        Epoch(3, "Training", {"loss": 0.8}).line(),
    ]
    assert [(each.course, each.number, each.metrics["loss"]) for each in epochs(log)] == [
        ("", 1, 2.0),
        ("", 2, 1.1),
        ("", 3, 0.8),
        ("pruned-0.5", 1, 0.9),
    ]
