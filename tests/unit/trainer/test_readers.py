"""Whatever a library raises about what is in a file is a sentence that names it, and final; what storage raises is not."""

import gzip
import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainingrun.api import IDXFiles, NPZArrays
from trainingrun_trainer.data import idx, npz
from trainingrun_trainer.data.parsing import Watched, parsing
from trainingrun_trainer.errors import TrainerError
from trainingrun_trainer.storage import local_folder

INPUTS, LABELS = np.arange(12, dtype=np.uint8).reshape(4, 3), np.arange(4) % 2


def saved(**arrays: Any) -> bytes:
    """An archive."""
    packed = io.BytesIO()
    np.savez(packed, **arrays)
    return packed.getvalue()


def one_array(array: Any, **options: Any) -> bytes:
    """A file of one array."""
    packed = io.BytesIO()
    np.save(packed, array, **options)
    return packed.getvalue()


def zipped(**members: bytes) -> bytes:
    """An archive of any files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "."), content)
    return packed.getvalue()


def promising(shape: str) -> bytes:
    """An array whose header promises a shape, and that has nothing."""
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}".encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header


WHOLE = saved(x=INPUTS, y=LABELS)
ARCHIVES: dict[str, tuple[bytes, str]] = {
    "one array": (one_array(INPUTS), "d.npz is one array (.npy); expected an archive with samples and labels"),
    "a text": (b"hello, world", "d.npz is no .npz archive: it begins with 68656c6c6f2c, expected 504b0304 (zip)"),
    "nothing": (b"", "d.npz is no .npz archive: it begins with nothing"),
    "a pickle": (b"\x80\x04\x95", "d.npz is no .npz archive: it begins with 800495"),
    "HDF5": (b"\x89HDF\r\n\x1a\n", "d.npz is no .npz archive: it begins with 894844460d0a"),
    "compressed again": (gzip.compress(WHOLE), "d.npz is no .npz archive: it begins with 1f8b08"),
    "its beginning": (WHOLE[:200], "d.npz is no readable .npz archive: File is not a zip file"),
    "its first bytes": (WHOLE[:3], "d.npz is no .npz archive: it begins with 504b03, expected 504b0304 (zip)"),
    "changed in its midst": (
        WHOLE.replace(INPUTS.tobytes(), INPUTS.tobytes()[::-1]),
        "x in d.npz is no readable array of NumPy",
    ),
    "no arrays": (zipped(x=b"abc", y=b"abc"), "x in d.npz (spec.data.npz.images) is a file, and no array of NumPy"),
    "other files": (zipped(a__txt=b"a", b__png=b"b"), "d.npz has no array 'x' (spec.data.npz.images); it has a.txt, b.png"),
    "texts that are called arrays": (zipped(x__npy=b"abc", y__npy=b"abc"), "x in d.npz (spec.data.npz.images) is a file"),
    "empty arrays": (zipped(x__npy=b"", y__npy=b""), "x in d.npz (spec.data.npz.images) is a file, and no array"),
    "an array that ends early": (
        zipped(x__npy=one_array(INPUTS)[:-5], y__npy=one_array(LABELS)),
        "x in d.npz is no readable array of NumPy",
    ),
    "a header that is none": (
        zipped(x__npy=promising("'many'")),
        "x in d.npz is no readable array of NumPy: shape is not valid",
    ),
    "too much promised": (zipped(x__npy=promising("(1 << 59,)")), "x in d.npz is no readable array of NumPy"),
    "more than memory promised": (
        zipped(x__npy=promising("(1000000000000000,)")),
        "x in d.npz needs more memory than there is",
    ),
    "pickled labels": (
        zipped(x__npy=one_array(INPUTS), y__npy=one_array(LABELS.astype(object), allow_pickle=True)),
        "y in d.npz is no readable array of NumPy: Object arrays cannot be loaded",
    ),
}


@pytest.mark.parametrize(("content", "words"), ARCHIVES.values(), ids=ARCHIVES)
def test_an_archive_that_is_none_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "d.npz").write_bytes(content)
    with pytest.raises(TrainerError) as problem:
        npz.load(local_folder(tmp_path), NPZArrays(file="d.npz", images="x", labels="y"))
    assert words in str(problem.value)
    assert problem.value.exit_code == 65


def test_an_encrypted_archive_is_named(tmp_path: Path) -> None:
    marked = bytearray(WHOLE)
    for begin, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        marked[marked.index(begin) + flags] |= 1
    (tmp_path / "d.npz").write_bytes(bytes(marked))
    with pytest.raises(TrainerError, match=r"x in d\.npz is no readable array of NumPy: File .* is encrypted"):
        npz.load(local_folder(tmp_path), NPZArrays(file="d.npz", images="x", labels="y"))


def a_folder(path: Path) -> None:
    (path / "d.npz").mkdir()


def a_loop(path: Path) -> None:
    (path / "d.npz").symlink_to("d.npz")


@pytest.mark.parametrize("make", [a_folder, a_loop])
def test_what_is_no_file_is_named(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path)
    with pytest.raises(TrainerError, match=r"d\.npz"):
        npz.load(local_folder(tmp_path), NPZArrays(file="d.npz", images="x", labels="y"))


@pytest.mark.parametrize("kind", [">f4", ">f8", "<f2", ">i4", "F"])
def test_numbers_in_any_order_of_bytes_are_read(tmp_path: Path, kind: str) -> None:
    inputs = np.asfortranarray(INPUTS.astype("f4")) if kind == "F" else INPUTS.astype(kind)
    np.savez_compressed(tmp_path / "d.npz", x=inputs, y=LABELS.astype(">i8"))
    data = npz.load(local_folder(tmp_path), NPZArrays(file="d.npz", images="x", labels="y"))
    assert data.inputs.dtype == np.float32
    assert (data.inputs.tolist(), data.labels.tolist()) == (INPUTS.tolist(), LABELS.tolist())


def header(*shape: int, code: int = 8, order: str = ">") -> bytes:
    """The beginning of an IDX file."""
    return bytes([0, 0, code, len(shape)]) + np.array(shape, f"{order}u4").tobytes()


IDX: dict[str, tuple[bytes, str]] = {
    "an archive": (WHOLE, "d is no IDX file: it begins with 504b0304"),
    "a text": (b"hello", "d is no IDX file: it begins with 68656c6c"),
    "nothing": (b"", "d is no IDX file: it begins with nothing"),
    "nothing, compressed": (gzip.compress(b""), "d is no IDX file: it begins with nothing"),
    "its beginning": (header(2, 3) + bytes(5), "promises 2 dimensions [2, 3] in 18 bytes, but it has 17. Copy it again."),
    "half a header": (header(2, 3)[:7], "promises 2 dimensions [] in 12 bytes, but it has 7. Copy it again."),
    "bytes that follow": (header(2, 3) + bytes(8), "but it has 20. Cut off what follows, or write it again."),
    "little-endian": (
        header(2, 3, order="<") + bytes(6),
        "Read backwards they are [2, 3]: its numbers are little-endian; write them big-endian.",
    ),
    "more dimensions than NumPy has": (header(*[1] * 100) + b"\1", "d is no readable IDX file"),
    "garbage after gzip": (
        gzip.compress(header(2, 3) + bytes(6)) + b"garbage",
        "d is no readable gzip file: Not a gzipped file",
    ),
    "gzip that ends early": (gzip.compress(header(2, 3) + bytes(6))[:-4], "d is no readable gzip file: Compressed file ended"),
    "gzip with garbage in it": (
        gzip.compress(bytes(99))[:10] + bytes([7] * 20),
        "d is no readable gzip file: Error -3 while decompressing data",
    ),
    "gzip of another sum": (gzip.compress(header(2, 3) + bytes(6))[:-8] + bytes(8), "d is no readable gzip file: CRC check"),
}


@pytest.mark.parametrize(("content", "words"), IDX.values(), ids=IDX)
def test_an_idx_file_that_is_none_is_named(content: bytes, words: str) -> None:
    with pytest.raises(TrainerError) as problem:
        idx.read(content, name="d")
    assert str(problem.value).startswith("d is ")
    assert words in str(problem.value)


@pytest.mark.parametrize("shape", [(), (0, 3), (4, 0)])
def test_an_idx_file_without_samples_is_said(tmp_path: Path, shape: tuple[int, ...]) -> None:
    (tmp_path / "i").write_bytes(header(*shape) + bytes(int(np.prod(shape))))
    (tmp_path / "l").write_bytes(header(4) + bytes([0, 1, 0, 1]))
    with pytest.raises(TrainerError, match="i, l: "):
        idx.load(local_folder(tmp_path), IDXFiles(images="i", labels="l"))


class Broken(io.BytesIO):
    """A file whose storage fails."""

    def __init__(self, problem: Exception) -> None:
        super().__init__(WHOLE)
        self._problem = problem

    def read(self, size: int | None = -1, /) -> bytes:
        """Only the beginning can be read."""
        if self.tell() > 0 or size != 6:
            raise self._problem
        return super().read(size)


PASSING = {
    "of an operating system": OSError(5, "Input/output error"),
    "of a connection": ConnectionResetError("gone"),
    "of a client that nobody knows": RuntimeError("Session is closed"),
    "of a parser that the client has": ValueError("no JSON"),
}


@pytest.mark.parametrize("problem", PASSING.values(), ids=PASSING)
def test_what_storage_raises_is_no_fault_of_the_file(problem: Exception) -> None:
    with pytest.raises(type(problem)) as raised:
        npz._archive(Watched(Broken(problem)), file="d")
    assert raised.value is problem


@pytest.mark.parametrize("problem", [ValueError("of two\nlines."), KeyError("x"), struct.error(), NotImplementedError("no")])
def test_what_a_reader_raises_is_told_in_one_line(problem: Exception) -> None:
    with pytest.raises(TrainerError) as told, parsing("d", what="array", way_out="Write it again."):
        raise problem
    assert str(told.value).startswith("d is no readable array: ")
    assert str(told.value).endswith(". Write it again.")
    assert "\n" not in str(told.value)
    assert told.value.__cause__ is problem
