"""Labelled samples in memory. NumPy only."""

import hashlib
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trainingrun_trainer.errors import bad_data

Array = NDArray[np.generic]

MAXIMUM_CLASSES = 10_000


@dataclass(frozen=True)
class Dataset:
    """Inputs of shape [samples, height, width, channels] or [samples, features], and labels [samples] from 0."""

    inputs: Array
    labels: NDArray[np.int64]
    classes: int

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample."""
        return tuple(self.inputs.shape[1:])

    @property
    def is_image(self) -> bool:
        """Whether a sample has height, width and channels."""
        return len(self.shape) == 3

    @property
    def scale(self) -> float:
        """Factor that brings the values to about 0 to 1: bytes are divided by 255, other numbers are taken as they are."""
        return 1 / 255 if self.inputs.dtype == np.uint8 else 1.0

    @property
    def sha256(self) -> str:
        """Digest of the samples in their order, so that a result can name the data it comes from."""
        digest = hashlib.sha256(np.ascontiguousarray(self.inputs).view(np.uint8).data)
        digest.update(self.labels.tobytes())
        return digest.hexdigest()

    def take(self, positions: NDArray[np.int64]) -> "Dataset":
        """The samples at these positions."""
        return replace(self, inputs=self.inputs[positions], labels=self.labels[positions])


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
    checked = _checked_labels(labels, where=where)
    stored = inputs if inputs.dtype == np.uint8 else inputs.astype(np.float32)
    return Dataset(inputs=stored, labels=checked, classes=int(checked.max()) + 1)


def _checked_labels(labels: Array, *, where: str) -> NDArray[np.int64]:
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
