"""Which classes are taken for which: the whole matrix of up to 20 classes, the most frequent confusions of more."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nsmallest

from markupsafe import Markup

from trainingrun_trainer.balance import Balance
from trainingrun_trainer.report.charts.bars import Bar, bars
from trainingrun_trainer.report.values import Confusion
from trainingrun_trainer.report.words import counted, percent, shortened

MOST_CLASSES = 20
_MOST_PAIRS, _LONGEST_NAME, _MOST_UNKNOWN = 20, 28, 5


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


def confusion_view(confusion: Confusion, class_names: Sequence[str]) -> ConfusionView:
    """Classes without a name have their number as name."""
    told = _Told(confusion, class_names)
    if confusion.classes > MOST_CLASSES:
        return ConfusionView(told.sentence, pairs=_pairs(told) if told.mistakes else None)
    numbers = range(confusion.classes)
    return ConfusionView(
        told.sentence,
        names=tuple(told.name(number) for number in numbers),
        rows=tuple(_row(number, told) for number in numbers),
        precisions=tuple(_share(told.counts.get((number, number), 0), told.answers[number]) for number in numbers),
    )


class _Told:
    """What is told of a confusion, whatever is drawn; never more of it at once than the pairs that occur."""

    def __init__(self, confusion: Confusion, class_names: Sequence[str]) -> None:
        self.classes, self.counts = confusion.classes, confusion.counts
        self._names = class_names
        self.samples, self.answers = Counter[int](), Counter[int]()
        for (truth, predicted), count in confusion.counts.items():
            self.samples[truth] += count
            self.answers[predicted] += count
        wrong = [(pair, count) for pair, count in confusion.counts.items() if pair[0] != pair[1] and count]
        self.mistakes = nsmallest(_MOST_PAIRS, wrong, key=lambda mistake: (-mistake[1], mistake[0]))
        """The most frequent pairs, and how often they occur."""
        self._wrong = sum(count for _, count in wrong)

    @property
    def sentence(self) -> str:
        """How many are wrong, which is the most frequent mistake, and how well the classes are known."""
        total = self.samples.total()
        if not self.mistakes:
            return f"All {counted(total, 'sample')} are right."
        (truth, predicted), most = self.mistakes[0]
        pair = f"“{self.short(truth)}” taken for “{self.short(predicted)}”"
        wrong = f"{self._wrong:,} of {counted(total, 'sample')} are wrong. Most frequent: {pair}, {counted(most, 'time')}."
        return f"{wrong} {self._balance}"

    @property
    def _balance(self) -> str:
        """How well the classes are known, whatever their number of samples."""
        balance = Balance.of(self.counts)
        assert balance is not None, "some are wrong"
        lowest = f"lowest with “{self.short(balance.worst_class)}”: {percent(balance.worst_recall)}"
        recall = f"The recall of a class is {percent(balance.macro_recall)} on average, {lowest}."
        if not (unknown := balance.never_predicted):
            return recall
        names = ", ".join(f"“{self.short(number)}”" for number in unknown[:_MOST_UNKNOWN])
        more = f" and {len(unknown) - _MOST_UNKNOWN} more" if len(unknown) > _MOST_UNKNOWN else ""
        return f"{recall} No sample is taken for {names}{more}: accuracy alone does not tell that."

    def name(self, number: int) -> str:
        """Of a class."""
        return self._names[number] if number < len(self._names) else str(number)

    def short(self, number: int, *, most: int = _LONGEST_NAME) -> str:
        """The beginning of its name."""
        return shortened(self.name(number), most=most)


def _row(number: int, told: _Told) -> Row:
    """Right answers are shaded by their share of the class, mistakes by the most frequent one: both are seen."""
    total, most = max(1, told.samples[number]), max((count for _, count in told.mistakes), default=1)
    counts = [told.counts.get((number, column), 0) for column in range(told.classes)]
    cells = tuple(
        Cell(
            count=count,
            shade=count / (total if column == number else most),
            is_right=column == number,
            tooltip=f"{counted(count, 'sample')} of {told.name(number)} taken for {told.name(column)}",
        )
        for column, count in enumerate(counts)
    )
    return Row(told.name(number), cells, _share(counts[number], told.samples[number]))


def _pairs(told: _Told) -> Markup:
    rows = [
        Bar(
            f"{told.short(truth, most=_LONGEST_NAME - 4)} → {told.short(predicted, most=_LONGEST_NAME - 4)}",
            float(count),
            f"{count:,} of {told.samples[truth]:,}",
        )
        for (truth, predicted), count in told.mistakes
    ]
    return bars(rows, label="The most frequent confusions")


def _share(part: int, whole: int) -> str:
    return percent(part / whole) if whole else "none"
