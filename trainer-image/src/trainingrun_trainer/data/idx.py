"""The IDX format of MNIST: a header with type and shape, then the values. Format: http://yann.lecun.com/exdb/mnist/."""

import gzip
import math
from dataclasses import replace

import numpy as np

from trainingrun.api import IDXFiles
from trainingrun_trainer.data.arrays import Array, ArrayRules
from trainingrun_trainer.data.dataset import Dataset, dataset
from trainingrun_trainer.data.files import read_file
from trainingrun_trainer.data.groups import number_groups
from trainingrun_trainer.data.parsing import parsing
from trainingrun_trainer.errors import bad_data
from trainingrun_trainer.storage import Folder

_RULES = ArrayRules("idx")
_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_GZIP = b"\x1f\x8b"


def load(folder: Folder, files: IDXFiles, *, rules: ArrayRules = _RULES) -> Dataset:
    """Read IDX files, compressed with gzip or not.

    Raises TrainerError (bad data) naming the file, what was expected and what was found.
    """
    images, labels, groups = files.images, files.labels, files.groups
    inputs = read(read_file(folder, images, field="spec.data.idx.images"), name=images)
    targets = read(read_file(folder, labels, field="spec.data.idx.labels"), name=labels)
    samples = dataset(inputs, targets, where=f"{images}, {labels}", rules=rules)
    if groups is None:
        return samples
    numbers = read(read_file(folder, groups, field="spec.data.idx.groups"), name=groups)
    return replace(samples, groups=number_groups(numbers, samples=len(samples), where=groups))


def read(content: bytes, *, name: str) -> Array:
    """The array of one IDX file, whose name is for errors."""
    content = _decompressed(content, name=name)
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in _TYPES:
        raise bad_data(
            f"{name} is no IDX file: it begins with {content[:4].hex() or 'nothing'}, expected 0000, a type (08 to 0e) "
            "and the number of dimensions."
        )
    dimensions = content[3]
    header = 4 + 4 * dimensions
    shape = tuple(np.frombuffer(content[4:header], dtype=">u4").tolist()) if len(content) >= header else ()
    kind = np.dtype(_TYPES[content[2]])
    expected = header + (math.prod(shape) * kind.itemsize if len(shape) == dimensions else 0)
    if len(shape) != dimensions or len(content) != expected:
        raise bad_data(
            f"{name} is damaged: its header promises {dimensions} dimensions {list(shape)} in {expected} bytes, but it "
            f"has {len(content)}. {_way_out(content, dimensions=dimensions, kind=kind, is_longer=len(content) > expected)}"
        )
    with parsing(name, what="IDX file", way_out="Copy it again."):
        return np.frombuffer(content, dtype=kind, offset=header).reshape(shape).astype(kind.newbyteorder("="))


def _way_out(content: bytes, *, dimensions: int, kind: "np.dtype[np.generic]", is_longer: bool) -> str:
    """What is likely to have made a file that does not have the length that it promises."""
    header = 4 + 4 * dimensions
    backwards = np.frombuffer(content[4:header], dtype="<u4").tolist() if len(content) >= header else []
    if backwards and header + math.prod(backwards) * kind.itemsize == len(content):
        return f"Read backwards they are {backwards}: its numbers are little-endian; write them big-endian."
    return "Cut off what follows, or write it again." if is_longer else "Copy it again."


def _decompressed(content: bytes, *, name: str) -> bytes:
    if content[:2] != _GZIP:
        return content
    with parsing(name, what="gzip file", way_out="Copy it again."):
        return gzip.decompress(content)
