"""The lines of a CSV file, a bounded number at once, and what its columns are called."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any, NamedTuple

from trainingrun.api import CSVFiles
from trainingrun_trainer.data.files import LISTED, reading
from trainingrun_trainer.errors import TrainerError, bad_data
from trainingrun_trainer.storage import Folder

FIELD = "spec.data.csv"
_AT_ONCE = 1000
"""Lines that are turned into numbers together."""
_DELIMITERS = {",": '","', ";": '";"', "\t": '"\\t"', "|": '"|"'}
"""As a specification writes them."""
_NAMELESS = re.compile(r"(Unnamed: \d+)?")
"""Columns without a name, as pandas writes its row numbers, and what it calls them when it has read them."""
_NUMBER = re.compile(r"[-+]?[0-9.]+(e[-+]?[0-9]+)?", re.IGNORECASE)


class Line(NamedTuple):
    """One sample, and where it is written."""

    number: int
    """Of the line on which it ends, counted from 1."""
    values: list[str]


class Lines:
    """Those of an open file."""

    def __init__(self, name: str, file: IO[Any], *, settings: CSVFiles) -> None:
        self.name = name
        self._settings = settings
        text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
        self._rows = csv.reader(text, delimiter=settings.delimiter, skipinitialspace=True)
        with self._is_text():
            first = next(self._rows, [])
        self._first = [] if settings.header else [Line(self._rows.line_num, first)]
        self.columns = [value.strip() for value in first] if settings.header else [f"c{place}" for place in range(len(first))]
        self._require_delimiter(first)
        self.nameless = [place for place, column in enumerate(self.columns) if _NAMELESS.fullmatch(column)]
        """Columns that are no features: row numbers in the first place, or what a delimiter at the end of each line makes."""
        self._require_different()

    def find(self, column: str, *, field: str) -> int:
        """The place of a column. Raises TrainerError (bad data) that lists the columns there are."""
        if column in self.columns:
            return self.columns.index(column)
        listed = listing([name for place, name in enumerate(self.columns) if place not in self.nameless])
        if not self._settings.header:
            raise bad_data(
                f"{self.name} has no column {column!r} ({FIELD}.{field}): without a header its columns are called "
                f"{listed or 'nothing, for it is empty'}. Correct the field."
            )
        sample = " If these are the values of a sample, set spec.data.csv.header to false." if self._looks_like_sample() else ""
        raise bad_data(
            f"{self.name} has no column {column!r} ({FIELD}.{field}); its first line names {listed or 'none'}. Correct the "
            f"field, {FIELD}.delimiter or the file.{sample}"
        )

    def in_parts(self) -> Iterator[list[Line]]:
        """All samples; lines without any value are passed over.

        Raises TrainerError (bad data): a line has more or fewer values than there are columns, or is no text.
        """
        part = self._first
        with self._is_text():
            for values in self._rows:
                if not any(map(str.strip, values)):
                    continue
                part.append(self._checked(Line(self._rows.line_num, values)))
                if len(part) == _AT_ONCE:
                    yield part
                    part = []
        if part:
            yield part

    def _checked(self, line: Line) -> Line:
        if len(line.values) != len(self.columns):
            raise bad_data(
                f"{self.name}, line {line.number}: {len(line.values)} values; expected {len(self.columns)}, one for each "
                "column."
            )
        for place in self.nameless:
            if place > 0 and line.values[place].strip():
                raise bad_data(
                    f"{self.name}, line {line.number}: column {place + 1} has no name in the first line, but the value "
                    f"{line.values[place]!r}. Name the column, or take it away."
                )
        return line

    @contextmanager
    def _is_text(self) -> Iterator[None]:
        try:
            yield
        except UnicodeDecodeError as damaged:
            raise bad_data(
                f"{self.name} is no text in UTF-8 (after line {self._rows.line_num}): {damaged.reason}. Save it as UTF-8."
            ) from damaged
        except csv.Error as damaged:
            raise bad_data(f"{self.name}, line {self._rows.line_num}: {damaged}.") from damaged

    def _require_delimiter(self, first: Sequence[str]) -> None:
        """One column is none too few only where lines are separated by something else."""
        used = [shown for sign, shown in _DELIMITERS.items() if len(first) == 1 and sign in first[0]]
        if used:
            raise bad_data(
                f"{self.name} has one column only, {first[0][:60]!r}, when its lines are separated at "
                f"{_DELIMITERS[self._settings.delimiter]}: set {FIELD}.delimiter to {used[0]}."
            )

    def _require_different(self) -> None:
        counts = Counter(column for place, column in enumerate(self.columns) if place not in self.nameless)
        twice = [column for column, count in counts.items() if count > 1]
        if twice:
            raise self._refused(f"names {listing(twice)} more than once: give each column a name of its own")

    def _refused(self, what: str) -> TrainerError:
        sample = ", or set spec.data.csv.header to false if these are the values of a sample" * self._looks_like_sample()
        return bad_data(f"The first line of {self.name} {what}{sample}.")

    def _looks_like_sample(self) -> bool:
        return any(_NUMBER.fullmatch(column) for column in self.columns)


@contextmanager
def opened(folder: Folder, name: str, *, settings: CSVFiles) -> Iterator[Lines]:
    """A file of a folder. Raises TrainerError (bad data), also for what goes wrong while it is read."""
    with reading(folder, name, field=f"{FIELD}.files"), folder.filesystem.open(folder.join(name), "rb") as file:
        yield Lines(name, file, settings=settings)


def listing(names: Sequence[str]) -> str:
    """Some of the names."""
    return ", ".join(names[:LISTED]) + (f" and {len(names) - LISTED} more" if len(names) > LISTED else "")
