"""Folders on any file system that fsspec knows: a mounted volume, an object store, a web server."""

from dataclasses import dataclass
from pathlib import Path

from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem

from trainingrun.api import DataSource
from trainingrun.contract import Cause
from trainingrun_trainer.remote.access import Access


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


def open_source(source: DataSource, *, mount: Path, access: Path) -> Folder:
    """The folder of a data source; `mount` is where its claim is, `access` where what opens its uri is.

    Raises TrainerError about credentials that are missing. What a server refuses later is a TrainerError too, whatever is
    asked of the folder; only a missing file is a FileNotFoundError.
    """
    if source.uri is None:
        claim = source.persistent_volume_claim
        return local_folder(mount / claim.path if claim is not None else mount)
    return remote_folder(Access(location=source, field="spec.data.source", mount=access, unavailable=Cause.DATA_UNAVAILABLE))


def remote_folder(access: Access) -> Folder:
    """The folder of a uri."""
    from trainingrun_trainer.remote.filesystems import connect
    from trainingrun_trainer.remote.guarded import Guarded

    return Folder(Guarded(connect(access), access=access), access.path)
