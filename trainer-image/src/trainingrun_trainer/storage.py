"""Folders on any file system that fsspec knows: a mounted volume, an object store, a web server."""

from dataclasses import dataclass
from pathlib import Path

from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem


@dataclass(frozen=True)
class Folder:
    """A folder, its path as its file system writes it."""

    filesystem: AbstractFileSystem
    path: str

    def join(self, name: str) -> str:
        """The path of a file or folder in it."""
        return f"{self.path}/{name}"


def local_folder(path: Path) -> Folder:
    """A folder of this machine, such as a mounted volume."""
    return Folder(LocalFileSystem(), str(path))
