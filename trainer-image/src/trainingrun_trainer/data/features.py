"""From the columns of a table to the features that a network takes. What has to be learnt for that is learnt from the training
samples alone. NumPy only."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainingrun_trainer.data.arrays import Array
from trainingrun_trainer.data.dataset import Dataset
from trainingrun_trainer.errors import bad_data

_Values = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Feature:
    """One entry of the vectors that a network takes, and of those that the exported models take."""

    column: str
    category: str | None = None
    """1 where the column has this category, else 0; none: the column's number."""
    missing: float = 0.0
    """What stands for a value that is missing."""


def width(data: Dataset) -> int:
    """At most so many features."""
    return sum(max(1, len(column.categories)) for column in data.columns)


def encoded(data: Dataset, *, training: NDArray[np.int64]) -> tuple[Dataset, tuple[Feature, ...]]:
    """A table with a feature for each number and for each category that the training samples have, and what is missing filled.

    A category that they have not is 0 in all features of its column, and so is a missing one; a missing number is their mean.
    Raises TrainerError (bad data) naming a column that is empty in all training samples.
    """
    features, values = zip(*_features(data, training=training), strict=True)
    is_as_it_was = not any(column.categories for column in data.columns) and not np.isnan(data.inputs).any()
    return (data if is_as_it_was else replace(data, inputs=np.stack(values, axis=1))), features


def _features(data: Dataset, *, training: NDArray[np.int64]) -> Iterator[tuple[Feature, Array]]:
    for place, column in enumerate(data.columns):
        values: _Values = data.inputs[:, place]  # type: ignore[assignment]  # tables are floats
        known = values[training]
        known = known[~np.isnan(known)]
        if len(known) == 0:
            raise bad_data(
                f"The column {column.name} has no value in any training sample: name it in spec.data.csv.ignoredColumns."
            )
        if column.categories:
            for code in np.unique(known):
                yield Feature(column.name, column.categories[int(code)]), (values == code).astype(np.float32)
        else:
            mean = np.float32(known.mean(dtype=np.float64))
            yield Feature(column.name, missing=float(mean)), np.where(np.isnan(values), mean, values)
