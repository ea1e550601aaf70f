"""Labels in the shapes that people store them in, as one label per sample. Pure; NumPy only."""

import numpy as np
from numpy.typing import NDArray

from trainingrun_trainer.errors import bad_data

AnyArray = NDArray[np.generic]

_SHAPES = "expected one label per sample: [samples], [samples, 1], or one-hot rows [samples, classes]"


def one_per_sample(labels: AnyArray, *, where: str) -> tuple[AnyArray, int | None]:
    """Labels as [samples], and how many columns they had if they were one-hot rows.

    Numbers, booleans or strings. Raises TrainerError (bad data).
    """
    kind, shape = labels.dtype.kind, labels.shape
    if kind == "O":
        as_text = np.array(labels.tolist()) if all(isinstance(each, str | bytes) for each in labels.ravel()) else labels
        kind, labels = as_text.dtype.kind, as_text
    if kind not in "iufbSU":
        raise bad_data(
            f"{where}: labels are of type {labels.dtype}, which names no classes: write integers, or strings (`.astype(str)`)."
        )
    if labels.ndim == 0:
        raise bad_data(f"{where}: the labels are a single value; {_SHAPES}.")
    if labels.size == len(labels) > 0:
        return labels.reshape(len(labels)), None
    if labels.ndim == 2 and labels.size > 0 and kind not in "SU":
        return _columns(labels, where=where), shape[1]
    if labels.size == 0:
        raise bad_data(f"{where}: there are no labels; they have the shape {shape}.")
    raise bad_data(
        f"{where}: labels have the shape {shape}; {_SHAPES}. A run learns one class for each sample, not one for each of its "
        "parts."
    )


def _columns(rows: AnyArray, *, where: str) -> NDArray[np.int64]:
    """The places of the ones in one-hot rows."""
    is_one = rows == 1
    odd = np.flatnonzero(~(is_one | (rows == 0)).all(axis=1) | (is_one.sum(axis=1) != 1))
    if len(odd) > 0:
        position = int(odd[0])
        shown = ", ".join(f"{value:g}" for value in rows[position, :10].astype(np.float64)) + ", ..." * (rows.shape[1] > 10)
        raise bad_data(
            f"{where}: the label of sample {position} is [{shown}]; expected one 1, the class, and zeros (one-hot). Several "
            "classes, or shares of them, are not learnt: write one integer per sample, such as `y.argmax(axis=1)`."
        )
    numbers: NDArray[np.int64] = is_one.argmax(axis=1).astype(np.int64)
    return numbers
