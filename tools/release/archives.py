"""Tar files whose bytes depend on nothing but names and contents."""

import gzip
import io
import tarfile
from collections.abc import Iterable
from pathlib import Path


def pack(folder: Path, archive: Path, *, epoch: int, below: str = "", compressed: bool = False) -> None:
    """Write all files of a folder, in the order of their names, owned by nobody in particular.

    `below` is the folder inside of the archive.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    with archive.open("wb") as raw:
        if compressed:
            with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=epoch) as stream:
                _write(files, stream, folder=folder, epoch=epoch, below=below)
        else:
            _write(files, raw, folder=folder, epoch=epoch, below=below)


def _write(files: Iterable[Path], stream: io.IOBase, *, folder: Path, epoch: int, below: str) -> None:
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in files:
            entry = tarfile.TarInfo(str(Path(below) / path.relative_to(folder)))
            entry.size, entry.mtime = path.stat().st_size, epoch
            entry.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
            with path.open("rb") as content:
                tar.addfile(entry, content)
