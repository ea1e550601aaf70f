"""NumPy's .npz archives, such as the `mnist.npz` that Keras distributes."""

import zipfile
import zlib

import numpy as np

from trainingrun_trainer.data.dataset import Array, Dataset, dataset
from trainingrun_trainer.data.files import reading
from trainingrun_trainer.errors import bad_data
from trainingrun_trainer.storage import Folder


def load(folder: Folder, *, file: str, images: str, labels: str) -> Dataset:
    """Read two arrays of an archive. Pickled objects are refused: reading them would run code.

    Raises TrainerError (bad data) naming the file and the array.
    """
    with reading(folder, file, field="spec.data.npz.file"), folder.filesystem.open(folder.join(file), "rb") as opened:
        try:
            with np.load(opened, allow_pickle=False) as archive:
                inputs = _array(archive, images, file=file, field="spec.data.npz.images")
                targets = _array(archive, labels, file=file, field="spec.data.npz.labels")
        except (ValueError, EOFError, zipfile.BadZipFile, zlib.error) as damaged:
            raise bad_data(f"{file} is no readable .npz archive: {damaged}. Write it with numpy.savez.") from damaged
    return dataset(inputs, targets, where=f"{file} ({images}, {labels})")


def _array(archive: "np.lib.npyio.NpzFile", name: str, *, file: str, field: str) -> Array:
    if name not in archive.files:
        raise bad_data(f"{file} has no array {name!r} ({field}); it has {', '.join(archive.files) or 'none'}.")
    array: Array = archive[name]
    return array
