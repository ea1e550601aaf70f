"""NumPy's .npz archives, such as the `mnist.npz` that Keras distributes."""

from dataclasses import replace
from typing import Any

import numpy as np

from trainingrun.api import NPZArrays
from trainingrun_trainer.data.arrays import Array, ArrayRules
from trainingrun_trainer.data.dataset import Dataset, dataset
from trainingrun_trainer.data.files import reading
from trainingrun_trainer.data.groups import number_groups
from trainingrun_trainer.data.parsing import Watched, parsing
from trainingrun_trainer.errors import bad_data
from trainingrun_trainer.storage import Folder

_RULES = ArrayRules("npz")
_ZIP, _ONE_ARRAY = (b"PK\x03\x04", b"PK\x05\x06"), b"\x93NUMPY"
_WAY_OUT = "Write it with numpy.savez, from arrays of numbers, and labels of numbers or strings."


def load(folder: Folder, arrays: NPZArrays, *, rules: ArrayRules = _RULES) -> Dataset:
    """Read the arrays of an archive. Pickled objects are refused: reading them would run code.

    Raises TrainerError (bad data) naming the file and the array.
    """
    file, images, labels, groups = arrays.file, arrays.images, arrays.labels, arrays.groups
    with reading(folder, file, field="spec.data.npz.file"), folder.filesystem.open(folder.join(file), "rb") as opened:
        source = Watched(opened)
        archive = _archive(source, file=file)
        inputs = _array(archive, images, source=source, file=file, field="spec.data.npz.images")
        targets = _array(archive, labels, source=source, file=file, field="spec.data.npz.labels")
        names = None if groups is None else _array(archive, groups, source=source, file=file, field="spec.data.npz.groups")
    read = dataset(inputs, targets, where=f"{file} ({images}, {labels})", rules=rules)
    return replace(read, groups=None if names is None else number_groups(names, samples=len(read), where=f"{file} ({groups})"))


def _archive(source: Watched, *, file: str) -> Any:
    begin = source.read(len(_ONE_ARRAY))
    source.seek(0)
    if begin == _ONE_ARRAY:
        raise bad_data(f"{file} is one array (.npy); expected an archive with samples and labels. {_WAY_OUT}")
    if not begin.startswith(_ZIP):
        raise bad_data(
            f"{file} is no .npz archive: it begins with {begin.hex() or 'nothing'}, expected 504b0304 (zip). {_WAY_OUT}"
        )
    with parsing(file, what=".npz archive", way_out=_WAY_OUT, file=source):
        return np.load(source, allow_pickle=False)


def _array(archive: Any, name: str, *, source: Watched, file: str, field: str) -> Array:
    names = archive.files
    if name not in names:
        raise bad_data(f"{file} has no array {name!r} ({field}); it has {', '.join(names) or 'none'}.")
    with parsing(f"{name} in {file}", what="array of NumPy", way_out=_WAY_OUT, file=source):
        array: Any = archive[name]
    if not isinstance(array, np.ndarray):
        raise bad_data(f"{name} in {file} ({field}) is a file, and no array of NumPy. {_WAY_OUT}")
    return array
