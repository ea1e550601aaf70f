"""One pass over TFRecord files, which notes where each record is, and its label.

A record is its length (8 bytes), the masked CRC-32C of that (4), the data, and the masked CRC-32C of the data (4).
Format: https://www.tensorflow.org/tutorials/load_data/tfrecord.
"""

import io
import struct
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

import google_crc32c
import numpy as np
from numpy.typing import NDArray

from trainingrun_trainer.data.example import INTEGERS, NAMES, Keys, Kind, group_of, image_of, label_of, parse
from trainingrun_trainer.data.files import reading
from trainingrun_trainer.errors import TrainerError, bad_data
from trainingrun_trainer.storage import Folder

FILE, START, END, CHECKSUM = range(4)
"""Columns of what is noted of a record: its file's place in the list, where its data is, and the CRC-32C of the data."""
HEADER_BYTES = 12

_FOOTER_BYTES = 4
_GZIP, _ZLIB = b"\x1f\x8b", 0x78
_MASK = 0xA282EAD8


@dataclass(frozen=True)
class Found:
    """Records of some files: [records, 4], their labels, and what class 0, 1 and so on are called, if they have names."""

    records: NDArray[np.int64]
    labels: NDArray[np.int64]
    names: tuple[str, ...]
    kind: Kind = INTEGERS
    """Of the labels."""
    groups: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    """The place of each record's group in their names, or empty."""
    group_names: tuple[str, ...] = ()

    def encode(self) -> bytes:
        """As bytes for other ranks."""
        packed = io.BytesIO()
        np.savez(
            packed,
            records=self.records,
            labels=self.labels,
            names=np.array(self.names, dtype=np.str_),
            kind=np.array([self.kind.what, str(self.kind.columns)]),
            groups=self.groups,
            group_names=np.array(self.group_names, dtype=np.str_),
        )
        return packed.getvalue()

    @classmethod
    def decode(cls, data: bytes) -> "Found":
        """What another rank has found."""
        with np.load(io.BytesIO(data)) as arrays:
            what, columns = arrays["kind"].tolist()
            names, group_names = (tuple(arrays[key].tolist()) for key in ("names", "group_names"))
            kind = Kind(what, int(columns))
            return cls(arrays["records"], arrays["labels"], names, kind, arrays["groups"], group_names)


class Scan:
    """A pass over the files that one rank takes."""

    def __init__(self, folder: Folder, files: Sequence[str], keys: Keys) -> None:
        self._folder, self._files, self._keys = folder, files, keys
        # Numbers in a row, not objects: there may be millions.
        self._rows, self._labels, self._groups = array("q"), array("q"), array("q")
        self._names: dict[str, int] = {}
        self._group_names: dict[str, int] = {}
        self._kind: Kind | None = None

    def run(self, places: Iterable[int]) -> Iterator[None]:
        """Read the files at these places of the list, and yield after every record.

        Raises TrainerError (bad data): a file that is none or is damaged, or a record without what the keys name.
        """
        for place in places:
            name = self._files[place]
            with (
                reading(self._folder, name, field="spec.data.tfRecord.files"),
                self._folder.filesystem.open(self._folder.join(name), "rb") as file,
            ):
                for start, data, checksum in _records(file, name=name):
                    self._note(data, name=record_name(name, start))
                    self._rows.extend((place, start, start + len(data), checksum))
                    yield

    def found(self) -> Found:
        """All that the pass has found."""
        records = np.array(self._rows, dtype=np.int64).reshape(-1, 4)
        labels, groups = (np.array(numbers, dtype=np.int64) for numbers in (self._labels, self._groups))
        return Found(records, labels, tuple(self._names), self._kind or INTEGERS, groups, tuple(self._group_names))

    def _note(self, data: bytes, *, name: str) -> None:
        example = parse(data, name=name)
        image_of(example, self._keys, name=name)
        label = label_of(example, self._keys, name=name)
        if self._kind not in (None, label.kind):
            before = f"labels before it are of another kind: {self._kind}"
            raise _mixed(f"{name} has the label {label.value}, but {before}")
        self._kind, value = label.kind, label.value
        self._labels.append(value if isinstance(value, int) else self._names.setdefault(value, len(self._names)))
        if self._keys.group is not None:
            group = group_of(example, self._keys.group, name=name)
            self._groups.append(self._group_names.setdefault(group, len(self._group_names)))


def record_name(file: str, start: int) -> str:
    """What a record whose data begins at `start` is called in errors."""
    return f"{file}, the record at byte {start - HEADER_BYTES}"


def joined(shares: Sequence[Found]) -> Found:
    """What all ranks have found, in the order of files and records, with classes numbered in the order of their names."""
    shares = [share for share in shares if len(share.records) > 0] or list(shares[:1])
    records = np.concatenate([share.records for share in shares])
    order = np.lexsort((records[:, START], records[:, FILE]))
    kinds = sorted({share.kind for share in shares})
    if len(kinds) > 1:
        raise _mixed(f"Labels of some files are {kinds[0]}, and of others {kinds[1]}")
    groups, group_names = _renumbered([(share.groups, share.group_names) for share in shares])
    groups = groups[order] if group_names else groups
    if kinds != [NAMES]:
        labels = np.concatenate([share.labels for share in shares])
        return Found(records[order], labels[order], (), kinds[0], groups, group_names)
    labels, names = _renumbered([(share.labels, share.names) for share in shares])
    return Found(records[order], labels[order], names, NAMES, groups, group_names)


def _renumbered(shares: Sequence[tuple[NDArray[np.int64], tuple[str, ...]]]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Numbers of all shares, each of which has names of its own, as places in all names in order."""
    names = sorted({name for _, own in shares for name in own})
    places = {name: place for place, name in enumerate(names)}
    numbers = [np.array([places[name] for name in own], dtype=np.int64)[share] for share, own in shares]
    return np.concatenate(numbers), tuple(names)


def _records(file: BinaryIO, *, name: str) -> Iterator[tuple[int, bytes, int]]:
    """Where each record's data begins, the data, and its checksum."""
    offset = 0
    while header := file.read(HEADER_BYTES):
        length = _length(header, name=name, offset=offset)
        data, footer = file.read(length), file.read(_FOOTER_BYTES)
        if len(footer) < _FOOTER_BYTES:
            raise _damaged(name, offset, f"it should have {length} bytes, but the file ends before. It is truncated")
        checksum = int(google_crc32c.value(data))
        if _masked(checksum) != struct.unpack("<I", footer)[0]:
            raise _damaged(name, offset, "its checksum is not that of its data")
        yield offset + HEADER_BYTES, data, checksum
        offset += HEADER_BYTES + length + _FOOTER_BYTES


def _length(header: bytes, *, name: str, offset: int) -> int:
    if len(header) == HEADER_BYTES:
        length, expected = struct.unpack("<QI", header)
        if _masked(int(google_crc32c.value(header[:8]))) == expected:
            return int(length)
    if offset == 0 and (compression := _compression(header)):
        raise bad_data(
            f"{name} is compressed with {compression}, and its records cannot be read one by one: write it without "
            "tf.io.TFRecordOptions(compression_type), or decompress it."
        )
    if offset == 0:
        raise bad_data(
            f"{name} is no TFRecord file: it begins with {header[:8].hex()}, expected a length and its checksum. Correct "
            "spec.data.tfRecord.files, or write it with tf.io.TFRecordWriter."
        )
    raise _damaged(name, offset, "the checksum of its length is wrong, or the file ends before")


def _compression(header: bytes) -> str:
    """The compression of a file that begins so, or nothing. A length may look alike: ask when its checksum is wrong."""
    if header.startswith(_GZIP):
        return "gzip"
    return "ZLIB" if len(header) > 1 and header[0] == _ZLIB and int.from_bytes(header[:2]) % 31 == 0 else ""


def _masked(checksum: int) -> int:
    """The checksum as the format stores it."""
    return (((checksum >> 15) | (checksum << 17)) + _MASK) & 0xFFFFFFFF


def _damaged(name: str, offset: int, what: str) -> TrainerError:
    return bad_data(f"{record_name(name, offset + HEADER_BYTES)} is damaged: {what}. Copy the file again.")


def _mixed(what: str) -> TrainerError:
    return bad_data(f"{what} (spec.data.tfRecord.labelKey). Give all classes numbers, or give all names.")
