"""An output on an object store. A file is there whole or not at all; a folder is only as whole as its seal says.

The store's packages load with the first question, so that the agent, which rarely has one, starts without them.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from trainingrun_trainer.output.place import Place
from trainingrun_trainer.patience import Patience
from trainingrun_trainer.remote.access import Access

if TYPE_CHECKING:
    from trainingrun_trainer.storage import Folder

_CLAIM = ".claimed"
"""A store has no empty folders: this file makes one."""


@dataclass(frozen=True)
class Store:
    """The object store of an output, connected when it is first asked."""

    access: Access
    patience: Patience = field(default_factory=Patience, compare=False)

    @cached_property
    def folder(self) -> "Folder":
        """The folder of `spec.output`."""
        from trainingrun_trainer.storage import remote_folder

        return remote_folder(self.access, patience=self.patience)


@dataclass(frozen=True)
class ObjectPlace:
    """A file or folder of an object store: see `Place`."""

    store: Store
    name: str = ""
    """Relative to the folder of `spec.output`."""

    @property
    def uri(self) -> str:
        """See `Place`."""
        return f"{self.store.access.uri}/{self.name}" if self.name else self.store.access.uri

    def join(self, name: str) -> "ObjectPlace":
        """See `Place`."""
        return ObjectPlace(self.store, f"{self.name}/{name}" if self.name else name)

    def within(self, patience: Patience) -> "ObjectPlace":
        """See `Place`. It is connected anew, once for all that is joined to it."""
        return replace(self, store=Store(self.store.access, patience))

    def names(self) -> list[str]:
        """See `Place`."""
        try:
            paths = self.store.folder.filesystem.ls(self._path, detail=False)
        except FileNotFoundError:
            return []
        names = {path.rstrip("/").rpartition("/")[2] for path in paths if path.rstrip("/") != self._path}
        return sorted(names - {_CLAIM})

    def read(self) -> bytes:
        """See `Place`."""
        return bytes(self.store.folder.filesystem.cat_file(self._path))

    def write(self, content: bytes) -> None:
        """See `Place`."""
        self.store.folder.filesystem.pipe_file(self._path, content)

    def put(self, file: Path) -> None:
        """See `Place`."""
        self.store.folder.filesystem.put_file(str(file), self._path)

    def append(self, content: bytes) -> None:
        """See `Place`."""
        try:
            before = self.read()
        except FileNotFoundError:
            before = b""
        self.write(before + content)

    def remove(self) -> None:
        """See `Place`. A store does not say whether there was a file."""
        try:
            self.store.folder.filesystem.rm_file(self._path)
        except FileNotFoundError:
            return

    def claim(self) -> None:
        """See `Place`."""
        self.join(_CLAIM).write(b"")

    def tidy(self) -> None:
        """See `Place`. What is half-written is not there."""

    @contextmanager
    def staging(self, label: str) -> Iterator[Path]:
        """See `Place`. It is on the scratch volume."""
        scratch = Path(tempfile.mkdtemp(prefix=f"trainingrun-{label}-"))
        try:
            yield scratch / "staged"
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def publish(self, staged: Path, *, seal: Place) -> None:
        """See `Place`. Files of the old folder that the new one does not have are removed."""
        seal.remove()
        new = {str(path.relative_to(staged)): path for path in sorted(staged.rglob("*")) if path.is_file()}
        for name, path in new.items():
            self.join(name).put(path)
        for name in set(self._files()) - new.keys():
            self.join(name).remove()

    def _files(self) -> list[str]:
        """All files below this folder, relative to it."""
        found = self.store.folder.filesystem.find(self._path)
        return [path.removeprefix(f"{self._path}/") for path in found]

    @property
    def _path(self) -> str:
        """As the file system writes it."""
        folder = self.store.folder
        return folder.join(self.name) if self.name else folder.path
