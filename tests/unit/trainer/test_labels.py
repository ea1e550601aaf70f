"""Labels as people write them become classes, or a sentence that says why they cannot."""

from typing import Any

import numpy as np
import pytest

from trainingrun.api import LabelGaps
from trainingrun_trainer.data.example import INTEGERS, NAMES, Kind
from trainingrun_trainer.data.labels import (
    MAXIMUM_CLASSES,
    Classes,
    count_from,
    number_labels,
    number_texts,
    numbering,
)
from trainingrun_trainer.data.record_scan import Found, joined
from trainingrun_trainer.errors import TrainerError

POSITIONS = [0, 2, 1, 2]
"""Labels that are numbers of classes already."""

AS_THEY_ARE: dict[str, Any] = {
    **{f"{kind}": np.array(POSITIONS, kind) for kind in ("u1", "i1", ">i4", "<i8", "u8", "f2", ">f4", "f8")},
    "a list": POSITIONS,
    "a column": np.array(POSITIONS)[:, np.newaxis],
    "a column of floats": np.array(POSITIONS, np.float32)[:, np.newaxis],
    "a column of pictures": np.array(POSITIONS).reshape(4, 1, 1),
    "one-hot": np.eye(3, dtype=np.uint8)[POSITIONS],
    "one-hot floats": np.eye(3)[POSITIONS],
    "one-hot booleans": np.eye(3, dtype=bool)[POSITIONS],
}


@pytest.mark.parametrize("labels", AS_THEY_ARE.values(), ids=AS_THEY_ARE)
def test_numbers_of_classes_stay_as_they_are(labels: Any) -> None:
    classes = number_labels(labels, where="here")
    assert classes.numbers.dtype == np.int64
    assert (classes.numbers.tolist(), classes.names, classes.size) == (POSITIONS, (), 3)


NAMED: dict[str, tuple[Any, list[int], tuple[str, ...]]] = {
    "letters from 1": (np.array([1, 3, 2], np.uint8), [0, 2, 1], ("1", "2", "3")),
    "minus and plus": (np.array([1, -1, 1]), [1, 0, 1], ("-1", "1")),
    "tens": (np.array([10, 30, 20]), [0, 2, 1], ("10", "20", "30")),
    "from 1 with a gap": (np.array([1, 2, 7]), [0, 1, 2], ("1", "2", "7")),
    "numbers in their order": (np.array([100, 20, 3]), [2, 1, 0], ("3", "20", "100")),
    "whole floats": (np.array([[2.0], [1.0], [2.0]]), [1, 0, 1], ("1", "2")),
    "beyond signed integers": (np.array([2**64 - 1, 1, 1], np.uint64), [1, 0, 0], ("1", str(2**64 - 1))),
    "booleans": (np.array([True, False, True]), [1, 0, 1], ("False", "True")),
    "strings": (np.array(["dog", "cat", "dog"]), [1, 0, 1], ("cat", "dog")),
    "a column of strings": (np.array([["dog"], ["cat"]]), [1, 0], ("cat", "dog")),
    "strings of digits": (np.array(["10", "9", "0"]), [1, 2, 0], ("0", "10", "9")),
    "bytes": (np.array([b"dog", "kätzchen".encode()]), [0, 1], ("dog", "kätzchen")),
    "objects that are strings": (np.array(["dog", "cat"], object), [1, 0], ("cat", "dog")),
}


@pytest.mark.parametrize(("labels", "numbers", "names"), NAMED.values(), ids=NAMED)
def test_other_labels_are_names_in_their_order(labels: Any, numbers: list[int], names: tuple[str, ...]) -> None:
    classes = number_labels(labels, where="here")
    assert (classes.numbers.tolist(), classes.names, classes.size) == (numbers, names, len(names))


GAPS: dict[str, tuple[Any, int, tuple[str, ...]]] = {
    "one in the middle": ([0, 1, 3], 2, ("0", "1", "3")),
    "all between": ([0, 255, 0], 1, ("0", "255")),
    "a label that is damaged": ([*range(10), 12], 10, (*map(str, range(10)), "12")),
    "beyond all classes": ([0, 1, MAXIMUM_CLASSES], 2, ("0", "1", str(MAXIMUM_CLASSES))),
    "a column of one-hot rows": (np.eye(4)[[0, 1, 3]], 2, ("0", "1", "3")),
    "the last columns of one-hot rows": (np.eye(5)[[0, 1, 2]], 3, ("0", "1", "2")),
    "the first column of one-hot rows": (np.eye(3)[[1, 2]], 0, ("1", "2")),
}


@pytest.mark.parametrize(("labels", "missing", "names"), GAPS.values(), ids=GAPS)
def test_a_gap_is_refused_or_closed_as_the_user_says(labels: Any, missing: int, names: tuple[str, ...]) -> None:
    with pytest.raises(TrainerError, match=rf"here: label .*no sample is labelled {missing} .*spec\.data\.labelGaps to Close"):
        number_labels(np.array(labels), where="here")
    assert number_labels(np.array(labels), where="here", gaps=LabelGaps.CLOSE).names == names


NO_LABELS: dict[str, tuple[Any, str]] = {
    "a quantity": ([1.5, 2.0, 3.25], "the label 1.5 of sample 0 is no integer: labels are classes"),
    "a missing number": ([0.0, np.nan, 1.0], "the label nan of sample 1 is no integer"),
    "an infinite one": ([0.0, 1.0, np.inf], "the label inf of sample 2 is no integer"),
    "several classes": ([[0, 1, 0], [1, 1, 0]], "the label of sample 1 is [1, 1, 0]; expected one 1"),
    "no class": ([[0, 1], [0, 0]], "the label of sample 1 is [0, 0]; expected one 1"),
    "shares of classes": ([[0.5, 0.5], [0.0, 1.0]], "the label of sample 0 is [0.5, 0.5]; expected one 1"),
    "a NaN in one-hot": ([[1.0, 0.0], [np.nan, 1.0]], "the label of sample 1 is [nan, 1]; expected one 1"),
    "a pair of names": ([["a", "b"], ["c", "d"]], "labels have the shape (2, 2); expected one label per sample"),
    "masks": (np.zeros((3, 4, 4), np.uint8), "labels have the shape (3, 4, 4); expected one label per sample"),
    "a single value": (np.array(3), "the labels are a single value; expected one label per sample"),
    "nothing": ([], "there are no labels; they have the shape (0,)"),
    "complex": (np.array([1j, 0]), "labels are of type complex128, which names no classes"),
    "moments": (np.array(["2020-01-01"], "M8[D]"), "labels are of type datetime64[D], which names no classes"),
    "objects": (np.array([None, "a"]), "labels are of type object, which names no classes"),
    "no name": (["cat", "", "dog"], "the label of sample 1 is empty; expected the name of a class"),
    "a name for what is missing": (["cat", "dog", "nan"], "the label of sample 2 is nan; expected the name of a class"),
    "other bytes": (np.array([b"cat", b"\xff"]), r"the label b'\xff' is no text in UTF-8"),
    "a single class": ([7, 7], "all samples are labelled 7; at least two classes are needed"),
    "a single name": (["cat"], "all samples are labelled cat; at least two classes are needed"),
    "a single truth": ([True, True], "all samples are labelled True; at least two classes are needed"),
    "prices": (np.arange(1000, 1150), "there are 150 different labels among 150 samples: they look like a quantity"),
    "identifiers": ([f"id{number}" for number in range(150)], "there are 150 different labels among 150 samples"),
    "too many": (np.arange(MAXIMUM_CLASSES + 1), "there are 10001 different labels; there may be at most 10000 classes"),
}


@pytest.mark.parametrize(("labels", "words"), NO_LABELS.values(), ids=NO_LABELS)
def test_what_names_no_class_is_said(labels: Any, words: str) -> None:
    with pytest.raises(TrainerError) as problem:
        number_labels(labels, where="here")
    assert f"here: {words}" in str(problem.value)
    assert problem.value.exit_code == 65


TEXTS: dict[str, tuple[list[str], list[int], tuple[str, ...]]] = {
    "numbers of classes": (["0", "1.0", "+2", "1"], [0, 1, 2, 1], ()),
    "integers": (["10", "9", "1e1"], [1, 0, 1], ("9", "10")),
    "more digits than floats have": (
        ["9007199254740993", "9007199254740992"],
        [1, 0],
        ("9007199254740992", "9007199254740993"),
    ),
    "names": (["b", "a", "b"], [1, 0, 1], ("a", "b")),
    "names with digits": (["1_0", "2_0"], [0, 1], ("1_0", "2_0")),
}


@pytest.mark.parametrize(("texts", "numbers", "names"), TEXTS.values(), ids=TEXTS)
def test_labels_of_a_table_are_integers_or_names(texts: list[str], numbers: list[int], names: tuple[str, ...]) -> None:
    classes = number_texts(texts, where="here")
    assert (classes.numbers.tolist(), classes.names) == (numbers, names)


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["1", "cat"], "the label 'cat' is a name, but others are numbers, such as 1"),
        (["0", "1", "0.5"], "the label 0.5 of sample 2 is no integer"),
        (["0", "1", "3"], "no sample is labelled 2"),
    ],
)
def test_labels_of_a_table_that_are_no_classes_are_said(texts: list[str], words: str) -> None:
    with pytest.raises(TrainerError, match=words):
        number_texts(texts, where="here")


def found(labels: list[int], *, file: int, names: tuple[str, ...] = (), kind: Kind = INTEGERS) -> Found:
    """What a rank has found in one file."""
    records = np.array([[file, place, place + 1, 0] for place in range(len(labels))])
    return Found.decode(Found(records, np.array(labels), names, kind).encode())


SHARED: dict[str, tuple[list[Found], tuple[str, ...], list[int]]] = {
    "numbers that differ": ([found([3, 1], file=0), found([2, 1], file=1)], ("1", "2", "3"), [2, 0, 1, 0]),
    "a rank without files": ([found([], file=0), found([-1, 1], file=1)], ("-1", "1"), [0, 1]),
    "one-hot": ([found([1], file=0, kind=Kind("x", 2)), found([0], file=1, kind=Kind("x", 2))], (), [1, 0]),
    "names": (
        [found([0, 1], file=0, names=("b", "c"), kind=NAMES), found([0], file=1, names=("a",), kind=NAMES)],
        ("a", "b", "c"),
        [1, 2, 0],
    ),
}


@pytest.mark.parametrize(("shares", "names", "numbers"), SHARED.values(), ids=SHARED)
def test_ranks_agree_on_the_numbers_of_classes(shares: list[Found], names: tuple[str, ...], numbers: list[int]) -> None:
    for order in (shares, shares[::-1]):
        whole = joined(order)
        classes = (
            Classes(whole.labels, whole.names)
            if whole.names
            else count_from(whole.labels, first=0, where="here", columns=whole.kind.columns)
        )
        assert (classes.numbers.tolist(), classes.names) == (numbers, names)


@pytest.mark.parametrize("kind", [NAMES, Kind("one-hot lists", 3)])
def test_files_with_labels_of_another_kind_are_not_mixed(kind: Kind) -> None:
    names = ("a",) if kind == NAMES else ()
    with pytest.raises(TrainerError, match="Labels of some files are integers, and of others"):
        joined([found([0, 1], file=0), found([0], file=1, names=names, kind=kind)])


def test_the_first_label_becomes_0_and_what_is_below_is_out_of_range() -> None:
    counted = count_from(np.array([2, 1, 3]), first=1, where="here")
    assert (counted.numbers.tolist(), counted.names) == ([1, 0, 2], ())
    with pytest.raises(TrainerError, match=r"label 0 of sample 1 is out of range: spec\.data\.tfRecord\.firstLabel says"):
        count_from(np.array([1, 0, 2]), first=1, where="here")
    with pytest.raises(TrainerError, match="no sample is labelled 1"):
        count_from(np.array([1, 3]), first=1, where="here")


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("1", "2"), "The 2 labels are numbers from 1 to 2, and outputs are counted from 0: output 0 of the model is label 1"),
        (
            ("0", "1", "10", "2"),
            "The 4 labels are numbers from 0 to 10, and outputs are counted from 0: output 2 of the model is label 10",
        ),
        (("-1", "1"), "output 0 of the model is label -1"),
        (("0", "1"), None),
        (("cat", "dog"), None),
        ((), None),
    ],
)
def test_who_may_take_an_output_for_its_label_is_told(names: tuple[str, ...], words: str | None) -> None:
    told = [each.reason for each in numbering(names)]
    assert (words in told[0]) if words else told == []
