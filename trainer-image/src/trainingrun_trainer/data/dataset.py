"""Labelled samples in memory, and the rules that they keep. NumPy only."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainingrun_trainer.errors import bad_data

Array = NDArray[np.generic]

MAXIMUM_CLASSES = 10_000


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    name: str
    categories: tuple[str, ...] = ()
    """Where its values are names: 0 is the first of them, and NaN none. A column of numbers has none."""


@dataclass(frozen=True)
class Dataset:
    """Inputs of shape [samples, height, width, channels] or [samples, features], and labels [samples] from 0."""

    inputs: Array
    labels: NDArray[np.int64]
    classes: int
    class_names: tuple[str, ...] = ()
    """Of class 0, 1 and so on; none where the data has numbers only."""
    held_out: int = 0
    """So many samples at the end are for validation, because the data says so."""
    columns: tuple[Column, ...] = ()
    """Of a table, whose inputs may be NaN: see `features`."""

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample."""
        return tuple(self.inputs.shape[1:])

    @property
    def scale(self) -> float:
        """Factor that brings the values to about 0 to 1."""
        return scale_of(self.inputs.dtype)

    @property
    def sha256(self) -> str:
        """Digest of the samples in their order, so that a result can name the data it comes from."""
        digest = hashlib.sha256(np.ascontiguousarray(self.inputs).view(np.uint8).data)
        digest.update(self.labels.tobytes())
        return digest.hexdigest()

    def take(self, positions: NDArray[np.int64]) -> "Dataset":
        """The samples at these positions."""
        return replace(self, inputs=self.inputs[positions], labels=self.labels[positions])


def scale_of(kind: np.dtype[Any]) -> float:
    """Factor that brings values to about 0 to 1: bytes are divided by 255, other numbers are taken as they are."""
    return 1 / 255 if kind == np.uint8 else 1.0


def dataset(inputs: Array, labels: Array, *, where: str) -> Dataset:
    """Check that inputs and labels belong together; `where` names their files in errors.

    Every class from 0 to the highest label must occur: a gap means that a label is damaged or that classes are numbered in
    another way, and a network would reserve outputs for classes that do not exist.
    Raises TrainerError (bad data) naming the sample.
    """
    if len(inputs) != len(labels):
        raise bad_data(f"{where}: there are {len(inputs)} samples but {len(labels)} labels; both must be as many.")
    if len(labels) == 0:
        raise bad_data(f"{where}: there are no samples.")
    if inputs.ndim == 3:
        inputs = inputs[..., np.newaxis]
    if inputs.ndim not in (2, 4):
        raise bad_data(
            f"{where}: samples have the shape {inputs.shape[1:]}; expected [features], [height, width] or "
            "[height, width, channels]."
        )
    if not np.issubdtype(inputs.dtype, np.number):
        raise bad_data(f"{where}: samples are of type {inputs.dtype}; expected numbers.")
    checked = checked_labels(labels, where=where)
    stored = inputs if inputs.dtype == np.uint8 else inputs.astype(np.float32)
    require_finite(stored, name=lambda position: f"{where}: sample {position}")
    return Dataset(inputs=stored, labels=checked, classes=int(checked.max()) + 1)


def require_finite(inputs: Array, *, name: Callable[[int], str]) -> None:
    """Raises TrainerError (bad data) naming the first sample that has a NaN or an infinite value."""
    if inputs.dtype == np.uint8:
        return
    broken = np.flatnonzero(~np.isfinite(inputs.reshape(len(inputs), -1)).all(axis=1))
    if len(broken) > 0:
        values = inputs[broken[0]].ravel()
        place = int(np.flatnonzero(~np.isfinite(values))[0])
        raise bad_data(
            f"{name(int(broken[0]))} has the value {values[place]} at place {place}; expected finite numbers. Replace what is "
            "missing, or leave the sample out."
        )


def checked_labels(labels: Array, *, where: str) -> NDArray[np.int64]:
    """Labels as integers in which every class from 0 to the highest occurs; see `dataset`."""
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise bad_data(
            f"{where}: labels have the shape {labels.shape} and the type {labels.dtype}; expected one integer per sample."
        )
    numbers = labels.astype(np.int64)
    if numbers.min() < 0:
        position = int(numbers.argmin())
        raise bad_data(f"{where}: label {numbers[position]} of sample {position} is out of range: classes count from 0.")
    highest = int(numbers.max())
    position = int(numbers.argmax())
    if highest >= MAXIMUM_CLASSES:
        raise bad_data(f"{where}: label {highest} of sample {position} is out of range: at most {MAXIMUM_CLASSES} classes.")
    missing = np.setdiff1d(np.arange(highest + 1), numbers)
    if len(missing) > 0:
        raise bad_data(
            f"{where}: label {highest} of sample {position} is out of range, or classes are missing: no sample is labelled "
            f"{missing[0]}. Classes must be numbered from 0 without a gap."
        )
    if highest == 0:
        raise bad_data(f"{where}: all samples are labelled 0; at least two classes are needed.")
    return numbers
