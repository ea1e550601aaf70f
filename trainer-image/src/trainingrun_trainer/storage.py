"""Folders on any file system that fsspec knows: a mounted volume, an object store, a web server."""

from dataclasses import dataclass
from pathlib import Path

from fsspec import AbstractFileSystem

from trainingrun.api import DataSource
from trainingrun.contract import Cause
from trainingrun_trainer.patience import Patience
from trainingrun_trainer.remote.access import Access
from trainingrun_trainer.volume_files import VolumeFiles


@dataclass(frozen=True)
class Folder:
    """A folder, its path as its file system writes it."""

    filesystem: AbstractFileSystem
    path: str

    def join(self, name: str) -> str:
        """The path of a file or folder in it."""
        return f"{self.path}/{name}"


def local_folder(path: Path, *, patience: Patience | None = None) -> Folder:
    """A folder of this machine, such as a mounted volume."""
    return Folder(VolumeFiles(patience or Patience()), str(path))


def open_source(source: DataSource, *, mount: Path, access: Path, patience: Patience | None = None) -> Folder:
    """The folder of a data source; `mount` is where its claim is, `access` where what opens its uri is.

    Raises TrainerError about credentials that are missing. What a server refuses later is a TrainerError too, whatever is
    asked of the folder; only a missing file is a FileNotFoundError. What may pass is borne with `patience`.
    """
    if source.uri is None:
        claim = source.persistent_volume_claim
        return local_folder(mount / claim.path if claim is not None else mount, patience=patience)
    location = Access(location=source, field="spec.data.source", mount=access, unavailable=Cause.DATA_UNAVAILABLE)
    return remote_folder(location, patience=patience)


def remote_folder(access: Access, *, patience: Patience | None = None) -> Folder:
    """The folder of a uri."""
    from trainingrun_trainer.remote.filesystems import connect
    from trainingrun_trainer.remote.guarded import Guarded

    return Folder(Guarded(connect, access=access, patience=patience or Patience()), access.path)
