"""How large a model is on a disk, and on the way to a device."""

import io
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

PART_BYTES = 2**20
"""What takes a few seconds at most, even where it is as slow as it gets."""
_GZIP = 31
"""A window of 32 KiB, with the head and the tail of a gzip file."""


def gzipped(content: bytes, *, report: Callable[[], None] = lambda: None) -> int:
    """Bytes after gzip -9; the same whenever and wherever it is counted. `report` is called after every `PART_BYTES`."""
    packer = zlib.compressobj(level=9, wbits=_GZIP)
    size = 0
    for start in range(0, len(content), PART_BYTES):
        size += len(packer.compress(memoryview(content)[start : start + PART_BYTES]))
        report()
    return size + len(packer.flush())


def packed(folder: Path) -> bytes:
    """A folder as one tar archive, in which nothing depends on who made it and when."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = tarfile.TarInfo(str(path.relative_to(folder)))
            entry.size = path.stat().st_size
            with path.open("rb") as content:
                tar.addfile(entry, content)
    return archive.getvalue()
