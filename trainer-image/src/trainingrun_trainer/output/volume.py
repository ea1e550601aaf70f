"""An output on a volume: nobody ever finds half of something under its final name, and what may pass is borne."""

import errno
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from trainingrun.contract import Cause
from trainingrun_trainer import disk_errors
from trainingrun_trainer.errors import TrainerError, failed
from trainingrun_trainer.output.exchange import replace_folder
from trainingrun_trainer.output.place import Place, UnreadableError
from trainingrun_trainer.patience import Answer, Patience

VOLUME = "the volume of spec.output"
_NEW, _OLD = ".new", ".new.old"
"""Endings of what is not under its final name yet, and of what has been there."""


@dataclass(frozen=True)
class VolumePlace:
    """A file or folder of a mounted volume: see `Place`."""

    path: Path
    uri: str
    label: str = ""
    """Of the attempt that writes: an older one, on a node that was given up, may write to the same place."""
    patience: Patience = field(default_factory=Patience, compare=False, repr=False)

    def join(self, name: str) -> "VolumePlace":
        """See `Place`."""
        return replace(self, path=self.path / name, uri=f"{self.uri}/{name}")

    def within(self, patience: Patience) -> "VolumePlace":
        """See `Place`."""
        return replace(self, patience=patience)

    def names(self) -> list[str]:
        """See `Place`."""
        return self._bear(lambda: sorted(os.listdir(self.path)) if self._is_folder() else [])

    def read(self) -> bytes:
        """See `Place`."""
        try:
            return self._patiently(self.path.read_bytes)
        except FileNotFoundError:
            raise
        except OSError as problem:
            refused = output_failed(self.path, problem, what="read")
            raise (UnreadableError.of(refused) if problem.errno == errno.EIO else refused) from problem

    def write(self, content: bytes) -> None:
        """See `Place`."""
        self._replace(lambda temporary: temporary.write_bytes(content))

    def put(self, file: Path) -> None:
        """See `Place`."""
        self._replace(lambda temporary: shutil.copyfile(file, temporary))

    def append(self, content: bytes) -> None:
        """See `Place`. What a try that has failed left behind is taken away before the next."""
        self._bear(lambda: self.path.parent.mkdir(parents=True, exist_ok=True))
        before = self._bear(lambda: self.path.stat().st_size if self.path.exists() else 0)

        def add() -> None:
            with self.path.open("ab") as file:
                file.truncate(before)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())

        self._bear(add)

    def remove(self) -> None:
        """See `Place`."""
        self._bear(lambda: self.path.unlink(missing_ok=True))

    def claim(self) -> None:
        """See `Place`."""
        self._bear(lambda: self.path.mkdir(parents=True, exist_ok=True))

    def tidy(self) -> None:
        """See `Place`. A folder that has lost its name to one that never got it gets it back."""
        for name in self.names():
            if name.startswith(".") and name.endswith((_NEW, _OLD)):
                self._bear(partial(self._tidy, self.path / name))

    @contextmanager
    def staging(self, label: str) -> Iterator[Path]:
        """See `Place`. It is beside the folder, because only within a volume names can be exchanged."""
        staged = self.path.with_name(f".{self.path.name}.{label}{_NEW}")
        self._bear(partial(_remove_tree, staged))
        self._bear(lambda: staged.parent.mkdir(parents=True, exist_ok=True))
        try:
            yield staged
        except OSError as refused:
            raise output_failed(staged, refused) from refused
        finally:
            with suppress(TrainerError):  # the next attempt tidies up
                self._bear(partial(_remove_tree, staged))

    def publish(self, staged: Path, *, seal: Place) -> None:
        """See `Place`. A server may have done what it says has failed: then the target is the new folder already."""
        new = self._bear(lambda: staged.stat().st_ino)

        def exchange() -> None:
            if not (self.path.exists() and self.path.stat().st_ino == new):
                replace_folder(staged, target=self.path)

        self._bear(exchange)

    def _replace(self, fill: Callable[[Path], object]) -> None:
        """Fill a temporary file that then takes the place of this one, with all its content also after a crash."""
        temporary = self.path.with_name(f".{self.path.name}.{self.label}{_NEW}")

        def fill_and_rename() -> None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            fill(temporary)
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            temporary.replace(self.path)

        try:
            self._bear(fill_and_rename)
        except TrainerError:
            with suppress(OSError):  # what a full disk has taken of it is needed for the next try
                temporary.unlink(missing_ok=True)
            raise

    def _tidy(self, left: Path) -> None:
        final = self.path / left.name.removeprefix(".").removesuffix(_OLD).rpartition(".")[0]
        if left.name.endswith(_OLD) and not final.exists():
            left.rename(final)
        elif left.is_dir():
            shutil.rmtree(left)
        else:
            left.unlink(missing_ok=True)

    def _is_folder(self) -> bool:
        """Unlike os.path.isdir, which takes a volume that does not answer for one without the folder."""
        try:
            return stat.S_ISDIR(self.path.stat().st_mode)
        except (FileNotFoundError, NotADirectoryError):
            return False

    def _bear(self, order: Callable[[], Answer]) -> Answer:
        """Do it; refusals of the file system become sentences."""
        try:
            return self._patiently(order)
        except OSError as refused:
            raise output_failed(self.path, refused) from refused

    def _patiently(self, order: Callable[[], Answer]) -> Answer:
        return borne(self.patience, order)


def _remove_tree(folder: Path) -> None:
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)


def borne(patience: Patience, order: Callable[[], Answer]) -> Answer:
    """Do something with files of the output's volume again, until it works. Raises OSError."""
    return patience.bear(order, may_pass=disk_errors.may_pass, what=VOLUME)


def output_failed(path: Path | str, problem: Exception, *, what: str = "written") -> TrainerError:
    """The error for an output that cannot be written, or whatever cannot be done with it."""
    return failed(
        f"The output cannot be {what} at {path}: {disk_errors.words(problem)}.",
        cause=Cause.OUTPUT_FAILED,
        hint=disk_errors.way_out(problem),
    )
