"""Tables as CSV files: a sample per line, with its label in one column and its features in the others."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainingrun.api import CSVFiles, LabelGaps
from trainingrun_trainer.context import Context
from trainingrun_trainer.data.csv_lines import FIELD, Lines, listing, opened
from trainingrun_trainer.data.csv_values import Codes, Values
from trainingrun_trainer.data.dataset import Column, Dataset
from trainingrun_trainer.data.files import matching_files
from trainingrun_trainer.data.groups import number_groups
from trainingrun_trainer.data.labels import number_texts
from trainingrun_trainer.data.memory import require_room, room_for_samples
from trainingrun_trainer.data.rounds import together
from trainingrun_trainer.errors import bad_data
from trainingrun_trainer.storage import Folder

MOST_ROUNDING = 0.1
"""Of a column's standard deviation: numbers of 32 bits that are changed by more do not tell its values apart."""


class _Table(NamedTuple):
    """The samples of one file."""

    features: NDArray[np.float32]
    labels: list[str]
    groups: list[str]


def load(context: Context, folder: Folder, settings: CSVFiles, *, gaps: LabelGaps = LabelGaps.REFUSE) -> Dataset:
    """Read all files; validation samples of their own come last. Categories are numbers still: see `features`.

    All ranks must call this. Raises TrainerError (bad data) naming the file, the line and the column.
    """
    names = matching_files(folder, settings.files, field=f"{FIELD}.files")
    own = settings.validation_files
    validation = matching_files(folder, own, field=f"{FIELD}.validationFiles") if own is not None else []
    files = _Files(folder, [*names, *validation], settings=settings, room=room_for_samples(context))
    together(context, files.read())
    if context.is_chief:
        print("\n".join(files.remarks), end="\n" * bool(files.remarks))
    where = ", ".join(names)
    labels = [label for table in files.tables for label in table.labels]
    if not labels:
        raise bad_data(f"{where}: there are no samples.")
    classes = number_texts(labels, where=where, gaps=gaps)
    held_out = sum(len(table.labels) for table in files.tables[len(names) :])
    inputs = np.concatenate([table.features for table in files.tables])
    groups = [group for table in files.tables for group in table.groups]
    return Dataset(
        inputs,
        classes.numbers,
        classes.size,
        class_names=classes.names,
        held_out=held_out,
        columns=files.finished(inputs, where=where),
        groups=number_groups(groups, samples=len(labels), where=where, held_out=held_out) if settings.group_column else None,
    )


class _Files:
    """Reads one file after another."""

    def __init__(self, folder: Folder, names: Sequence[str], *, settings: CSVFiles, room: float) -> None:
        self._folder, self._names, self._settings, self._room = folder, names, settings, room
        self._codes = Codes(settings.categorical_columns)
        self._columns: list[str] = []
        self._features: list[str] = []
        self._rounding = np.zeros(0)
        self._bytes = 0
        self.tables: list[_Table] = []
        self.remarks: list[str] = []
        """What a person should know, each a sentence."""

    def read(self) -> Iterator[None]:
        """Read all of them, in many steps."""
        for name in self._names:
            with opened(self._folder, name, settings=self._settings) as lines:
                self._compare(lines)
                values = Values(lines, settings=self._settings, codes=self._codes)
                features, labels, groups = [np.empty((0, len(values.features)), np.float32)], list[str](), list[str]()
                for part in lines.in_parts():
                    labels += values.labels(part)
                    groups += values.groups(part)
                    features.append(values.numbers(part))
                    self._bytes += features[-1].nbytes
                    require_room(self._bytes, room=self._room, what=f"The table in {listing(self._names)}")
                    yield
            self.tables.append(_Table(np.concatenate(features), labels, groups))
            self._features = values.features
            self._rounding = np.maximum(self._rounding, values.rounding) if len(self._rounding) else values.rounding

    def finished(self, inputs: NDArray[np.float32], *, where: str) -> tuple[Column, ...]:
        """What the columns of all tables are; categories are brought into the order of their names.

        Raises TrainerError (bad data) when numbers of 32 bits do not tell the values of a column apart.
        """
        columns = []
        for place, name in enumerate(self._features):
            values = inputs[:, place]
            categories: tuple[str, ...] = ()
            if name in self._settings.categorical_columns:
                categories, order = self._codes.in_order(name)
                known = ~np.isnan(values)
                values[known] = order[values[known].astype(np.int64)]
            elif self._rounding[place] > 0 and self._rounding[place] > MOST_ROUNDING * np.nanstd(values, dtype=np.float64):
                raise bad_data(
                    f"{where}: the values of column {name} are near {np.nanmean(values, dtype=np.float64):.6g}, and so near to "
                    "one another that numbers of 32 bits, which networks compute with, do not tell them apart. Subtract what "
                    f"they have in common, or name the column in {FIELD}.ignoredColumns."
                )
            columns.append(Column(name, categories))
        return tuple(columns)

    def _compare(self, lines: Lines) -> None:
        if self._columns and lines.columns != self._columns:
            raise bad_data(
                f"{lines.name} has the columns {listing(lines.columns)}, but {self._names[0]} has {listing(self._columns)}. "
                "All files must have the same columns in the same order."
            )
        self._columns = lines.columns
        if 0 in lines.nameless:
            self.remarks.append(
                f"{lines.name}: the first column has no name, as the row numbers that pandas writes; it is left out."
            )
