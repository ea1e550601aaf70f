"""Labels as people write them become numbers of classes from 0, and the classes' names. Pure; NumPy only.

Integers from 0 without a gap are the numbers of classes already: they stay as they are, and the classes have no names. All
other labels are names, also integers (1 to 26, -1 and +1): their classes are numbered in the labels' order. Why a gap is
refused: docs/adr/0023-integers-from-zero-are-positions.md.
"""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainingrun.api import LabelGaps
from trainingrun_trainer.choosing.found import Found
from trainingrun_trainer.data.class_names import number_classes
from trainingrun_trainer.data.label_shapes import one_per_sample
from trainingrun_trainer.errors import TrainerError, bad_data

MAXIMUM_CLASSES = 10_000

_FEW = 100
"""So many classes may have a sample each: it is a small set. With more of them, labels are taken for something else."""
_LARGEST = 2**63
_MISSING = ("", "nan")

Numbers = NDArray[np.int64]
AnyArray = NDArray[np.generic]


class Classes(NamedTuple):
    """The number of each sample's class, from 0, and what class 0, 1 and so on are called: nothing if they are numbers only."""

    numbers: Numbers
    names: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Number of classes, each of which has a sample."""
        return int(self.numbers.max()) + 1


def number_labels(labels: AnyArray | Sequence[Any], *, where: str, gaps: LabelGaps = LabelGaps.REFUSE) -> Classes:
    """The classes of labels [samples], [samples, 1] or one-hot [samples, classes]; `where` says in errors where they are.

    They are integers, whole floats, booleans or strings. Strings are names, whatever they say: "10" comes before "9".
    Raises TrainerError (bad data) naming the value, the sample and the way out.
    """
    flat, columns = one_per_sample(np.asarray(labels), where=where)
    if flat.dtype.kind in "SU":
        return _of_names(flat, where=where)
    if flat.dtype.kind == "f":
        _require_whole(flat, where=where)
    values, numbers = np.unique(flat, return_inverse=True)
    _require_bounded(len(values), where=where)
    if flat.dtype.kind == "b":
        return _checked(numbers.ravel(), tuple(str(value) for value in values), where=where)
    return _of_integers([int(value) for value in values], numbers.ravel(), where=where, gaps=gaps, columns=columns)


def number_texts(labels: Sequence[str], *, where: str, gaps: LabelGaps = LabelGaps.REFUSE) -> Classes:
    """The classes of labels that are written as texts, as in tables: integers if all are, else names.

    Raises TrainerError (bad data), also when some are numbers and some are not: one of them is a mistake.
    """
    texts, places = np.unique(np.asarray(labels, dtype=np.str_), return_inverse=True)
    _require_bounded(len(texts), where=where)
    values = [_number(str(text)) for text in texts]
    if all(value is None for value in values):
        return _of_names(np.asarray(labels, dtype=np.str_), where=where)
    for text, value in zip(texts, values, strict=True):
        if value is None:
            number = next(str(text) for text, value in zip(texts, values, strict=True) if value is not None)
            raise bad_data(
                f"{where}: the label {str(text)!r} is a name, but others are numbers, such as {number}: give all classes "
                "numbers, or give all names."
            )
        if value != int(value):
            raise _fraction(str(text), int(np.argmax(np.asarray(labels) == text)), where=where)
    whole = [int(value) for value in values if value is not None]
    distinct = sorted(set(whole))
    order = {value: place for place, value in enumerate(distinct)}
    numbers = np.array([order[value] for value in whole], dtype=np.int64)[places.ravel()]
    return _of_integers(distinct, numbers, where=where, gaps=gaps)


def count_from(labels: Numbers, *, first: int, where: str, gaps: LabelGaps = LabelGaps.REFUSE, columns: int = 0) -> Classes:
    """The classes of integers, or of places in one-hot lists of so many columns.

    If the first class is said to have the number 1, that becomes 0, and 0 is out of range. Raises TrainerError (bad data).
    """
    if first > 0 and labels.min() < first:
        position = int(labels.argmin())
        raise bad_data(
            f"{where}: label {labels[position]} of sample {position} is out of range: spec.data.tfRecord.firstLabel says that "
            f"classes count from {first}."
        )
    values, numbers = np.unique(labels - first, return_inverse=True)
    return _of_integers(values.tolist(), numbers.ravel(), where=where, gaps=gaps, columns=columns - first if columns else None)


def named_classes(numbers: Numbers, names: tuple[str, ...], *, where: str) -> Classes:
    """What has been numbered in the order of names, as classes. Raises TrainerError (bad data)."""
    for number, name in enumerate(names):
        if name.strip().lower() in _MISSING:
            position = int(np.argmax(numbers == number))
            raise bad_data(
                f"{where}: the label of sample {position} is {name.strip() or 'empty'}; expected the name of a class. Leave "
                "out samples without a label."
            )
    _require_shared(len(names), len(numbers), where=where)
    return _checked(numbers, names, where=where)


def numbering(names: Sequence[str]) -> tuple[Found, ...]:
    """What to say where classes are called by numbers, and not by their own: an output is easily taken for its label."""
    own = [str(number) for number in range(len(names))]
    if list(names) == own or not names or not all(name.removeprefix("-").isdecimal() for name in names):
        return ()
    place = next(place for place, name in enumerate(names) if name != own[place])
    low, high = min(names, key=int)[:20], max(names, key=int)[:20]
    reason = (
        f"The {len(names)} labels are numbers from {low} to {high}, and outputs are counted from 0: output {place} of the "
        f"model is label {names[place][:20]}. result.json lists the labels in the order of the outputs, as data.classNames."
    )
    return (Found(name="data.labels", value=f"{len(names)} numbers from {low} to {high}", reason=reason),)


def _of_names(labels: AnyArray, *, where: str) -> Classes:
    if labels.dtype.kind == "S":
        try:
            labels = np.char.decode(labels.astype(np.bytes_), "utf-8")
        except UnicodeDecodeError as other:
            raise bad_data(
                f"{where}: the label {other.object!r} is no text in UTF-8. Write strings (`.astype(str)`)."
            ) from other
    return named_classes(*number_classes(labels.astype(np.str_).tolist()), where=where)


def _of_integers(
    values: Sequence[int], numbers: NDArray[Any], *, where: str, gaps: LabelGaps, columns: int | None = None
) -> Classes:
    """Classes of these values, which rise; `numbers` says which of them each sample has."""
    _require_bounded(len(values), where=where)
    highest = values[-1] if columns is None else columns - 1
    if values[0] == 0 and highest == len(values) - 1:
        return _checked(numbers.astype(np.int64), (), where=where, shown=values)
    if columns is not None or values[0] == 0:
        if gaps is LabelGaps.REFUSE and len(values) > 1:
            raise _gap(values, numbers, where=where, highest=highest)
    else:
        _require_shared(len(values), len(numbers), where=where)
    return _checked(numbers.astype(np.int64), tuple(str(value) for value in values), where=where)


def _checked(numbers: NDArray[Any], names: tuple[str, ...], *, where: str, shown: Sequence[Any] = ()) -> Classes:
    if len(names or shown) < 2:
        raise bad_data(f"{where}: all samples are labelled {(names or shown)[0]}; at least two classes are needed.")
    _require_bounded(len(names or shown), where=where)
    return Classes(numbers.astype(np.int64), names)


def _require_whole(labels: AnyArray, *, where: str) -> None:
    broken = np.flatnonzero(~np.isfinite(labels) | (labels != np.floor(labels)))
    if len(broken) > 0:
        position = int(broken[0])
        raise _fraction(f"{labels[position]}", position, where=where)


def _fraction(label: str, position: int, *, where: str) -> TrainerError:
    return bad_data(
        f"{where}: the label {label} of sample {position} is no integer: labels are classes, as integers or names. Leave out "
        "samples without a label; a quantity is not predicted, only the class of it: cut its range into a few."
    )


def _gap(values: Sequence[int], numbers: NDArray[Any], *, where: str, highest: int) -> TrainerError:
    missing = next((place for place, value in enumerate(values) if place != value), len(values))
    position = int(np.argmax(numbers == len(values) - 1))
    return bad_data(
        f"{where}: label {values[-1]} of sample {position} is out of range, or classes are missing: no sample is labelled "
        f"{missing} (of 0 to {highest}). Number the classes from 0 without a gap, or set spec.data.labelGaps to Close: then "
        "the labels become names of classes, which are numbered in their order."
    )


def _require_bounded(classes: int, *, where: str) -> None:
    if classes > MAXIMUM_CLASSES:
        raise bad_data(
            f"{where}: there are {classes} different labels; there may be at most {MAXIMUM_CLASSES} classes. Are the labels a "
            "quantity or an identifier? Name those of the classes."
        )


def _require_shared(classes: int, samples: int, *, where: str) -> None:
    if classes > _FEW and 2 * classes > samples:
        raise bad_data(
            f"{where}: there are {classes} different labels among {samples} samples: they look like a quantity or an "
            "identifier, and hardly any class has two samples. Name the labels of the classes, or cut the range of a quantity "
            "into a few."
        )


def _number(text: str) -> Decimal | None:
    """A number exactly as it is written, or None."""
    try:
        value = Decimal(text) if "_" not in text else None
    except InvalidOperation:
        return None
    return value if value is not None and value.is_finite() and abs(value) < _LARGEST else None
