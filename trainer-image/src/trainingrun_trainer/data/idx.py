"""The IDX format of MNIST: a header with type and shape, then the values. Format: http://yann.lecun.com/exdb/mnist/."""

import gzip
import zlib

import numpy as np

from trainingrun_trainer.data.dataset import Array, Dataset, dataset
from trainingrun_trainer.data.files import read_file
from trainingrun_trainer.errors import bad_data
from trainingrun_trainer.storage import Folder

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_GZIP = b"\x1f\x8b"


def load(folder: Folder, *, images: str, labels: str) -> Dataset:
    """Read a pair of IDX files, compressed with gzip or not.

    Raises TrainerError (bad data) naming the file, what was expected and what was found.
    """
    inputs = read(read_file(folder, images, field="spec.data.idx.images"), name=images)
    targets = read(read_file(folder, labels, field="spec.data.idx.labels"), name=labels)
    return dataset(inputs, targets, where=f"{images}, {labels}")


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
    expected = header + int(np.prod(shape, dtype=np.int64)) * kind.itemsize
    if len(shape) != dimensions or len(content) != expected:
        raise bad_data(
            f"{name} is damaged: its header promises {dimensions} dimensions {list(shape)} in {expected} bytes, but it "
            f"has {len(content)}. Copy it again."
        )
    return np.frombuffer(content, dtype=kind, offset=header).reshape(shape).astype(kind.newbyteorder("="))


def _decompressed(content: bytes, *, name: str) -> bytes:
    try:
        return gzip.decompress(content) if content[:2] == _GZIP else content
    except (gzip.BadGzipFile, EOFError, zlib.error) as damaged:
        raise bad_data(f"{name} is damaged: gzip cannot decompress it ({damaged}). Copy it again.") from damaged
