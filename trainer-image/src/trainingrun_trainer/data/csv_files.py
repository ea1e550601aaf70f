"""Tables as CSV files: a line of column names, then a sample per line."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainingrun.api import CSVFiles, LabelGaps
from trainingrun_trainer.data.dataset import Dataset, dataset
from trainingrun_trainer.data.files import matching_files, read_file
from trainingrun_trainer.data.labels import number_texts
from trainingrun_trainer.errors import TrainerError, bad_data
from trainingrun_trainer.storage import Folder

_AT_ONCE = 1000
"""Lines that are turned into numbers together."""


class _Line(NamedTuple):
    """One sample, and where it is written."""

    number: int
    """Of the line on which it ends, counted from 1."""
    values: list[str]


class _Table(NamedTuple):
    """The samples of one file."""

    features: NDArray[np.float32]
    labels: list[str]


def load(folder: Folder, settings: CSVFiles, *, gaps: LabelGaps = LabelGaps.REFUSE) -> Dataset:
    """Read all files; validation samples of their own come last.

    Raises TrainerError (bad data) naming the file, the line and the column.
    """
    field = "spec.data.csv"
    names = matching_files(folder, settings.files, field=f"{field}.files")
    own = settings.validation_files
    validation = matching_files(folder, own, field=f"{field}.validationFiles") if own is not None else []
    tables, columns = [], None
    for name in [*names, *validation]:
        reader = _Reader(name, read_file(folder, name, field=f"{field}.files"), settings=settings)
        if columns is not None and reader.columns != columns:
            raise bad_data(f"{name} has the columns {', '.join(reader.columns)}, but {names[0]} has {', '.join(columns)}.")
        columns = reader.columns
        tables.append(reader.read())
    where = ", ".join(names)
    if not any(table.labels for table in tables):
        raise bad_data(f"{where}: there are no samples.")
    classes = number_texts([label for table in tables for label in table.labels], where=where, gaps=gaps)
    held_out = sum(len(table.labels) for table in tables[len(names) :])
    return replace(dataset(np.concatenate([table.features for table in tables]), classes, where=where), held_out=held_out)


class _Reader:
    """Reads one file."""

    def __init__(self, name: str, content: bytes, *, settings: CSVFiles) -> None:
        self._name = name
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as damaged:
            raise bad_data(f"{name} is no text in UTF-8: {damaged.reason} at byte {damaged.start}.") from damaged
        self._lines = csv.reader(io.StringIO(text, newline=""), delimiter=settings.delimiter)
        self.columns = [column.strip() for column in next(self._lines, [])]
        self._label = self._find(settings.label_column, field="labelColumn")
        ignored = {self._find(column, field="ignoredColumns") for column in settings.ignored_columns} | {self._label}
        self._features = [place for place in range(len(self.columns)) if place not in ignored]
        if not self._features:
            raise bad_data(f"{name} has no column beside {', '.join(self.columns)}: there must be at least one feature.")

    def read(self) -> _Table:
        """All samples."""
        features, labels = [np.empty((0, len(self._features)), np.float32)], []
        for lines in self._in_parts():
            labels += [self._checked_label(line) for line in lines]
            features.append(self._numbers(lines))
        return _Table(np.concatenate(features), labels)

    def _find(self, column: str, *, field: str) -> int:
        if column not in self.columns:
            raise bad_data(
                f"{self._name} has no column {column!r} (spec.data.csv.{field}); its first line names "
                f"{', '.join(self.columns) or 'none'}. Correct the field, spec.data.csv.delimiter or the file."
            )
        return self.columns.index(column)

    def _in_parts(self) -> Iterator[list[_Line]]:
        part: list[_Line] = []
        try:
            for values in self._lines:
                if not values:
                    continue
                if len(values) != len(self.columns):
                    raise bad_data(
                        f"{self._name}, line {self._lines.line_num}: {len(values)} values; expected {len(self.columns)}, one "
                        "for each column."
                    )
                part.append(_Line(self._lines.line_num, values))
                if len(part) == _AT_ONCE:
                    yield part
                    part = []
        except csv.Error as damaged:
            raise bad_data(f"{self._name}, line {self._lines.line_num}: {damaged}.") from damaged
        if part:
            yield part

    def _checked_label(self, line: _Line) -> str:
        label = line.values[self._label].strip()
        if not label or label.lower() == "nan":
            raise bad_data(
                f"{self._name}, line {line.number}: the label (column {self.columns[self._label]}) is {label or 'empty'}; "
                "expected a number or a name. Leave out samples without a label."
            )
        return label

    def _numbers(self, lines: Sequence[_Line]) -> NDArray[np.float32]:
        texts = [[line.values[place] for place in self._features] for line in lines]
        try:
            with np.errstate(over="ignore"):  # what becomes infinite is said below
                numbers = np.array(texts, dtype=np.float64).astype(np.float32)
        except ValueError:
            raise self._not_a_number(lines) from None
        if not np.isfinite(numbers).all():
            raise self._not_a_number(lines)
        return numbers

    def _not_a_number(self, lines: Sequence[_Line]) -> TrainerError:
        """The sentence about the first value that is no finite number."""
        line, place = next((line, place) for line in lines for place in self._features if not _is_finite(line.values[place]))
        return bad_data(
            f"{self._name}, line {line.number}, column {self.columns[place]}: {line.values[place]!r} is no finite number. "
            "Correct it, or name the column in spec.data.csv.ignoredColumns."
        )


def _is_finite(text: str) -> bool:
    try:
        with np.errstate(over="ignore"):
            return bool(np.isfinite(np.float32(text)))
    except ValueError:
        return False
