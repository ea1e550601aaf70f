"""The values of a table's lines as numbers: those that are numbers, and the codes of categories."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trainingrun.api import CSVFiles, MissingValues
from trainingrun_trainer.data.csv_lines import FIELD, Line, Lines, listing
from trainingrun_trainer.errors import TrainerError, bad_data

MOST_CATEGORIES = 1000
"""Of one column."""
_MISSING = {"", "?", "na", "n/a", "#n/a", "<na>", "nan", "null", "none"}
"""In small letters."""
_DECIMAL_COMMA = re.compile(r"[-+]?[0-9.]+,[0-9]+")


class Codes:
    """A number for each category of each categorical column, in all files of the data."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._codes: dict[str, dict[str, int]] = {column: {} for column in columns}

    def code(self, column: str, category: str) -> int:
        """The number of a category; those that are met are numbered as they come."""
        codes = self._codes[column]
        return codes.setdefault(category, len(codes))

    def count(self, column: str) -> int:
        """Categories that have been met."""
        return len(self._codes[column])

    def in_order(self, column: str) -> tuple[tuple[str, ...], NDArray[np.float32]]:
        """The categories in the order of their names, and for each code the place of its category there."""
        names = sorted(self._codes[column])
        places = {name: place for place, name in enumerate(names)}
        return tuple(names), np.array([places[name] for name in self._codes[column]], dtype=np.float32)


class Values:
    """Reads the features and the labels from the lines of one file."""

    def __init__(self, lines: Lines, *, settings: CSVFiles, codes: Codes) -> None:
        self._lines, self._settings, self._codes = lines, settings, codes
        self._label = lines.find(settings.label_column, field="labelColumn")
        ignored = {lines.find(column, field="ignoredColumns") for column in settings.ignored_columns}
        group = settings.group_column
        self._group = None if group is None else lines.find(group, field="groupColumn")
        categorical = {lines.find(column, field="categoricalColumns") for column in settings.categorical_columns}
        none = {*ignored, *lines.nameless, self._label, *([] if self._group is None else [self._group])}
        both = sorted(lines.columns[place] for place in categorical & none)
        if both:
            raise bad_data(
                f"{FIELD}.categoricalColumns names {', '.join(both)}, which is the label, the group or in ignoredColumns and "
                "so no feature: name it once."
            )
        features = [place for place in range(len(lines.columns)) if place not in none]
        if not features:
            raise bad_data(
                f"{lines.name} has no column beside {', '.join(lines.columns)}: there must be at least one feature. Correct "
                f"{FIELD}.delimiter or the file."
            )
        self.features = [lines.columns[place] for place in features]
        """Names of the columns that are features, in their order."""
        self._features = features
        self._numeric = [place for place in features if place not in categorical]
        self._categorical = [place for place in features if place in categorical]
        self.rounding = np.zeros(len(features))
        """By how much a value of each column was changed at most, to be a number of 32 bits."""

    def labels(self, part: Sequence[Line]) -> list[str]:
        """As they are written, without spaces around them. Raises TrainerError (bad data) when one is missing."""
        return [self._checked_label(line) for line in part]

    def groups(self, part: Sequence[Line]) -> list[str]:
        """Names of the groups, if there are such. Raises TrainerError (bad data) when one is missing."""
        if self._group is None:
            return []
        names = [line.values[self._group].strip() for line in part]
        if "" in names:
            line = part[names.index("")]
            raise bad_data(
                f"{self._where(line, self._group)}: the group is empty; expected a name or a number. Give samples that belong "
                "to nobody a group each."
            )
        return names

    def numbers(self, part: Sequence[Line]) -> NDArray[np.float32]:
        """The features [lines, features]; what is missing is NaN. Raises TrainerError (bad data) naming line and column."""
        found = np.empty((len(part), len(self._features)), dtype=np.float32)
        numeric = [self._features.index(place) for place in self._numeric]
        exact = self._exact(part)
        with np.errstate(over="ignore"):  # what becomes infinite is said below
            found[:, numeric] = exact
        if np.isinf(found[:, numeric]).any():
            raise self._not_a_number(part)
        for place in self._categorical:
            found[:, self._features.index(place)] = [self._code(line, place) for line in part]
        changed = np.nan_to_num(np.abs(found[:, numeric] - exact)).max(axis=0, initial=0.0)
        self.rounding[numeric] = np.maximum(self.rounding[numeric], changed)
        return found

    def _exact(self, part: Sequence[Line]) -> NDArray[np.float64]:
        """The numbers [lines, numeric columns] with all their digits."""
        texts = [[line.values[place] for place in self._numeric] for line in part]
        if any("_" in "".join(row) for row in texts):  # Python takes 1_000 for a number
            raise self._not_a_number(part)
        try:
            numbers = np.array(texts, dtype=np.float64)
        except ValueError:
            return self._with_gaps(part, texts)
        return numbers if np.isfinite(numbers).all() else self._with_gaps(part, texts)

    def _with_gaps(self, part: Sequence[Line], texts: list[list[str]]) -> NDArray[np.float64]:
        if self._settings.missing is MissingValues.REFUSE:
            raise self._not_a_number(part)
        try:
            numbers = np.array([["nan" if _is_missing(text) else text for text in row] for row in texts], dtype=np.float64)
        except ValueError:
            raise self._not_a_number(part) from None
        return numbers

    def _code(self, line: Line, place: int) -> float:
        category, column = line.values[place].strip(), self._lines.columns[place]
        if _is_missing(category):
            if self._settings.missing is MissingValues.REFUSE:
                raise bad_data(f"{self._where(line, place)}: the category is {category or 'empty'}. {_FILL}")
            return np.nan
        code = self._codes.code(column, category)
        if self._codes.count(column) > MOST_CATEGORIES:
            raise bad_data(
                f"{self._where(line, place)}: {category!r} is category number {MOST_CATEGORIES + 1}, more than a network can "
                f"learn from. Take the column out of {FIELD}.categoricalColumns, and name it in ignoredColumns if it is an "
                "identifier."
            )
        return code

    def _checked_label(self, line: Line) -> str:
        label = line.values[self._label].strip()
        if not label or label.lower() == "nan":
            raise bad_data(
                f"{self._lines.name}, line {line.number}: the label (column {self._lines.columns[self._label]}) is "
                f"{label or 'empty'}; expected a number or a name. Leave out samples without a label."
            )
        return label

    def _not_a_number(self, part: Sequence[Line]) -> TrainerError:
        """The sentence about the first value that is no finite number."""
        fills = self._settings.missing is MissingValues.MEAN
        line, place = next(
            (line, place)
            for line in part
            for place in self._numeric
            if not is_finite(line.values[place]) and not (fills and _is_missing(line.values[place]))
        )
        return bad_data(f"{self._where(line, place)}: {line.values[place]!r} is no finite number. {self._way_out(line, place)}")

    def _way_out(self, line: Line, place: int) -> str:
        value = line.values[place].strip()
        if _is_missing(value):
            return _FILL
        if _DECIMAL_COMMA.fullmatch(value):
            return "Write decimals with a point and without separators of thousands."
        others = [self._lines.columns[other] for other in self._numeric if other != place and self._holds_a_name(line, other)]
        like = f", as those of {listing(others)} seem to be" if others else ""
        way = (
            f"Correct it, or name the column in {FIELD}.ignoredColumns, or in categoricalColumns if its values are names{like}."
        )
        if line.number == 1 and not self._settings.header:
            return f"{way} If the first line names the columns, remove {FIELD}.header."
        return way

    def _holds_a_name(self, line: Line, place: int) -> bool:
        value = line.values[place].strip()
        return not (is_finite(value) or _is_missing(value) or _DECIMAL_COMMA.fullmatch(value))

    def _where(self, line: Line, place: int) -> str:
        return f"{self._lines.name}, line {line.number}, column {self._lines.columns[place]}"


_FILL = f"Set {FIELD}.missing to Mean, correct the value, or name the column in {FIELD}.ignoredColumns."


def is_finite(text: str) -> bool:
    """Whether a text is a number of 32 bits."""
    try:
        with np.errstate(over="ignore"):
            return "_" not in text and bool(np.isfinite(np.float32(text)))
    except ValueError:
        return False


def _is_missing(text: str) -> bool:
    return text.strip().lower() in _MISSING
