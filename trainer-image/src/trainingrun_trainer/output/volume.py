"""An output on a volume: nobody ever finds half of something under its final name."""

import ctypes
import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from trainingrun.contract import Cause
from trainingrun_trainer.errors import TrainerError, failed
from trainingrun_trainer.output.place import Place

_HERE = -100
"""`AT_FDCWD` of the kernel."""
_EXCHANGE = 2
"""`RENAME_EXCHANGE` of the kernel."""
_CANNOT_EXCHANGE = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP}


@dataclass(frozen=True)
class VolumePlace:
    """A file or folder of a mounted volume: see `Place`."""

    path: Path
    uri: str

    def join(self, name: str) -> "VolumePlace":
        """See `Place`."""
        return VolumePlace(self.path / name, f"{self.uri}/{name}")

    def names(self) -> list[str]:
        """See `Place`."""
        with _told(self.path):
            return sorted(path.name for path in self.path.iterdir()) if self.path.is_dir() else []

    def read(self) -> bytes:
        """See `Place`."""
        return self.path.read_bytes()

    def write(self, content: bytes) -> None:
        """See `Place`."""
        with _told(self.path), _replacing(self.path) as temporary:
            temporary.write_bytes(content)

    def put(self, file: Path) -> None:
        """See `Place`."""
        with _told(self.path), _replacing(self.path) as temporary:
            shutil.copyfile(file, temporary)

    def append(self, content: bytes) -> None:
        """See `Place`."""
        with _told(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())

    def remove(self) -> None:
        """See `Place`."""
        with _told(self.path):
            self.path.unlink(missing_ok=True)

    def claim(self) -> None:
        """See `Place`."""
        with _told(self.path):
            self.path.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def staging(self, label: str) -> Iterator[Path]:
        """See `Place`. It is beside the folder, because only within a volume names can be exchanged."""
        staged = self.path.with_name(f".{self.path.name}-{label}.new")
        with _told(self.path):
            shutil.rmtree(staged, ignore_errors=True)
            staged.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield staged
        finally:
            shutil.rmtree(staged, ignore_errors=True)

    def publish(self, staged: Path, *, seal: Place) -> None:
        """See `Place`."""
        with _told(self.path):
            replace_folder(staged, target=self.path)


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A temporary path whose file then takes the place of `path`, with all its content also after a crash."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        with suppress(OSError):  # what a full disk has taken of it is needed for the next try
            temporary.unlink(missing_ok=True)
        raise


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Refusals of the file system become sentences."""
    try:
        yield
    except OSError as refused:
        raise output_failed(path, refused) from refused


def replace_folder(new: Path, *, target: Path) -> None:
    """Give `target`'s place to the folder `new`; what was there before is then at `new`.

    Both change in one instant. A file system that cannot do that (NFS) shows a moment without `target`, but never half of it.
    """
    if not target.exists():
        new.rename(target)
        return
    try:
        _exchange(new, target)
    except OSError as refused:
        if refused.errno not in _CANNOT_EXCHANGE:
            raise
        outdated = new.with_name(f"{new.name}.old")
        target.rename(outdated)
        new.rename(target)
        outdated.rename(new)


def output_failed(path: Path | str, problem: Exception) -> TrainerError:
    """The error for an output that cannot be written."""
    return failed(
        f"The output cannot be written at {path}: {getattr(problem, 'strerror', None) or problem}.",
        cause=Cause.OUTPUT_FAILED,
        hint="See that the claim of spec.output has space and can be written by user and group 1000.",
    )


def _exchange(one: Path, other: Path) -> None:
    """Swap two names; Python's `os` does not offer this system call."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(one))
