"""Labelled samples in memory, and the rules that they keep. NumPy only."""

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainingrun_trainer.choosing.found import Found
from trainingrun_trainer.data.arrays import Array, ArrayRules, take_samples
from trainingrun_trainer.data.labels import Classes, number_labels
from trainingrun_trainer.errors import bad_data

_RULES = ArrayRules("npz")


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
    divisor: float | None = None
    """What brings the values to about 0 to 1, if it is not the usual one of their type."""
    found: tuple[Found, ...] = ()
    """What has been decided from the values, and a user should see."""
    groups: NDArray[np.int64] | None = None
    """Number of each sample's group, where the data says which belong together."""

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample."""
        return tuple(self.inputs.shape[1:])

    @property
    def scale(self) -> float:
        """Factor that brings the values to about 0 to 1."""
        return scale_of(self.inputs.dtype) if self.divisor is None else 1 / self.divisor

    @cached_property
    def sha256(self) -> str:
        """Digest of the samples in their order, for a result to name the data; taken once."""
        digest = hashlib.sha256(np.ascontiguousarray(self.inputs).view(np.uint8).data)
        digest.update(self.labels.tobytes())
        return digest.hexdigest()

    def take(self, positions: NDArray[np.int64]) -> "Dataset":
        """The samples at these positions."""
        return replace(self, inputs=self.inputs[positions], labels=self.labels[positions], groups=None)


def scale_of(kind: np.dtype[Any]) -> float:
    """Factor that brings values to about 0 to 1: bytes are divided by 255, other numbers are taken as they are."""
    return 1 / 255 if kind == np.uint8 else 1.0


def dataset(inputs: Array, labels: Array | Classes, *, where: str, rules: ArrayRules = _RULES) -> Dataset:
    """Check that inputs and labels belong together, and number the classes; `where` names their files in errors.

    Every class has a sample: a network would reserve outputs for classes that do not exist.
    Raises TrainerError (bad data) naming the sample.
    """
    if inputs.ndim == 0:
        raise bad_data(f"{where}: the samples are a single value; expected an array with one row per sample.")
    classes = labels if isinstance(labels, Classes) else None
    written = np.asarray(labels) if classes is None else classes.numbers
    if written.ndim > 0 and len(inputs) != len(written):
        raise bad_data(
            f"{where}: there are {len(inputs)} samples but {len(written)} labels; both must be as many. The arrays have the "
            f"shapes {inputs.shape} and {written.shape}."
        )
    if len(inputs) == 0:
        raise bad_data(f"{where}: there are no samples.")
    samples = take_samples(inputs, where=where, rules=rules)
    classes = number_labels(written, where=where, gaps=rules.gaps) if classes is None else classes
    return Dataset(
        inputs=samples.inputs,
        labels=classes.numbers,
        classes=classes.size,
        class_names=classes.names,
        divisor=samples.divisor,
        found=samples.found,
    )


def checked_labels(labels: Array, *, where: str) -> NDArray[np.int64]:
    """Labels of classes that have been numbered. Raises TrainerError (bad data), for example for a single class."""
    return number_labels(labels, where=where).numbers
