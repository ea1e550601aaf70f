"""NumPy's .npz archives, such as the `mnist.npz` that Keras distributes."""

import zipfile
from pathlib import Path

import numpy as np

from trainingrun_trainer.data.dataset import Array, Dataset, dataset
from trainingrun_trainer.data.files import require_file
from trainingrun_trainer.errors import bad_data


def load(folder: Path, *, file: str, images: str, labels: str) -> Dataset:
    """Read two arrays of an archive. Pickled objects are refused: reading them would run code.

    Raises TrainerError (bad data) naming the file and the array.
    """
    path = require_file(folder, file, field="spec.data.npz.file")
    try:
        with np.load(path, allow_pickle=False) as archive:
            inputs = _array(archive, images, path=path, field="spec.data.npz.images")
            targets = _array(archive, labels, path=path, field="spec.data.npz.labels")
    except (ValueError, EOFError, OSError, zipfile.BadZipFile) as damaged:
        raise bad_data(f"{file} is no readable .npz archive: {damaged}. Write it with numpy.savez.") from damaged
    return dataset(inputs, targets, where=f"{file} ({images}, {labels})")


def _array(archive: "np.lib.npyio.NpzFile", name: str, *, path: Path, field: str) -> Array:
    if name not in archive.files:
        raise bad_data(f"{path.name} has no array {name!r} ({field}); it has {', '.join(archive.files) or 'none'}.")
    array: Array = archive[name]
    return array
