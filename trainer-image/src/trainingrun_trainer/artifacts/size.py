"""How large a model is on a disk, and on the way to a device."""

import gzip
import io
import tarfile
from pathlib import Path


def gzipped(content: bytes) -> int:
    """Bytes after gzip -9; the same whenever and wherever it is counted."""
    return len(gzip.compress(content, compresslevel=9, mtime=0))


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
