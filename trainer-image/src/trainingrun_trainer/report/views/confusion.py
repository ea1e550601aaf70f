"""Which classes are taken for which: the whole matrix of up to 20 classes, the most frequent confusions of more."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from trainingrun_trainer.report.charts.bars import Bar, bars
from trainingrun_trainer.report.words import counted, percent, shortened

MOST_CLASSES = 20
_MOST_PAIRS, _LONGEST_NAME = 20, 28


@dataclass(frozen=True)
class Cell:
    """A number of samples; `shade` from 0 to 1 is how strongly it is coloured."""

    count: int
    shade: float
    is_right: bool
    tooltip: str


@dataclass(frozen=True)
class Row:
    """The samples of a class."""

    name: str
    cells: tuple[Cell, ...]
    recall: str


@dataclass(frozen=True)
class ConfusionView:
    """What the section shows: `rows`, or with many classes `pairs`."""

    sentence: str
    names: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    precisions: tuple[str, ...] = ()
    pairs: Markup | None = None


def confusion_view(counts: NDArray[np.int64], class_names: Sequence[str]) -> ConfusionView:
    """`counts` is [classes, classes]; classes without a name have their number as name."""
    names = [class_names[number] if number < len(class_names) else str(number) for number in range(len(counts))]
    mistakes = counts - np.diag(np.diag(counts))
    sentence = _sentence(counts, mistakes, names)
    if len(counts) > MOST_CLASSES:
        return ConfusionView(sentence, pairs=_pairs(counts, mistakes, names) if mistakes.any() else None)
    rows = tuple(_row(number, counts, mistakes, names) for number in range(len(counts)))
    return ConfusionView(
        sentence,
        names=tuple(names),
        rows=rows,
        precisions=tuple(_share(counts[number, number], counts[:, number].sum()) for number in range(len(counts))),
    )


def _sentence(counts: NDArray[np.int64], mistakes: NDArray[np.int64], names: Sequence[str]) -> str:
    total, wrong = int(counts.sum()), int(mistakes.sum())
    if wrong == 0:
        return f"All {counted(total, 'sample')} are right."
    truth, predicted = divmod(int(mistakes.argmax()), len(mistakes))
    most = int(mistakes.max())
    pair = f"“{shortened(names[truth], most=_LONGEST_NAME)}” taken for “{shortened(names[predicted], most=_LONGEST_NAME)}”"
    return f"{wrong:,} of {counted(total, 'sample')} are wrong. Most frequent: {pair}, {counted(most, 'time')}."


def _row(number: int, counts: NDArray[np.int64], mistakes: NDArray[np.int64], names: Sequence[str]) -> Row:
    """Right answers are shaded by their share of the class, mistakes by the most frequent one: both are seen."""
    total, most = max(1, int(counts[number].sum())), max(1, int(mistakes.max()))
    cells = tuple(
        Cell(
            count=int(count),
            shade=float(count) / (total if column == number else most),
            is_right=column == number,
            tooltip=f"{counted(int(count), 'sample')} of {names[number]} taken for {names[column]}",
        )
        for column, count in enumerate(counts[number])
    )
    return Row(names[number], cells, _share(counts[number, number], counts[number].sum()))


def _pairs(counts: NDArray[np.int64], mistakes: NDArray[np.int64], names: Sequence[str]) -> Markup:
    order = np.argsort(-mistakes, axis=None, kind="stable")[:_MOST_PAIRS]
    found = [divmod(int(place), len(counts)) for place in order if mistakes.flat[place] > 0]
    rows = [
        Bar(
            f"{shortened(names[truth], most=_LONGEST_NAME - 4)} → {shortened(names[predicted], most=_LONGEST_NAME - 4)}",
            float(mistakes[truth, predicted]),
            f"{mistakes[truth, predicted]:,} of {counts[truth].sum():,}",
        )
        for truth, predicted in found
    ]
    return bars(rows, label="The most frequent confusions")


def _share(part: int, whole: int) -> str:
    return percent(float(part) / float(whole)) if whole else "none"
