"""The files of a mounted volume, to be read: what may pass is borne, and a read that comes in parts is put together."""

import errno
import io
import os
from collections.abc import Callable, Sequence
from typing import Any

from fsspec.implementations.local import LocalFileSystem

from trainingrun.contract import Cause
from trainingrun_trainer import disk_errors
from trainingrun_trainer.errors import failed
from trainingrun_trainer.patience import Answer, Patience

_BUFFER_BYTES = 2**18
_MOST_AT_ONCE = 2**30
"""Bytes of one call: the kernel gives 2 GiB at most."""


class VolumeFiles(LocalFileSystem):  # type: ignore[misc]  # fsspec ships no types
    """See fsspec. An OSError will not pass; what has not passed within patience is a TrainerError (DataUnavailable)."""

    cachable = False

    def __init__(self, patience: Patience) -> None:
        super().__init__()
        self._patience = patience

    def info(self, path: Any, **options: Any) -> dict[str, Any]:
        """Name, size and type of a file or folder."""
        found: dict[str, Any] = self.bear(lambda: super(VolumeFiles, self).info(path, **options), path=path)
        return found

    def ls(self, path: str, detail: bool = False, **options: Any) -> list[Any]:
        """The entries of a folder."""
        entries: list[Any] = self.bear(lambda: super(VolumeFiles, self).ls(path, detail=detail, **options), path=path)
        return entries

    def find(self, path: str, maxdepth: int | None = None, withdirs: bool = False, detail: bool = False, **options: Any) -> Any:
        """All files below a folder; one that cannot be listed is an error, and not left out."""
        return super().find(path, maxdepth, withdirs, detail, **{"on_error": "raise", **options})

    def isfile(self, path: str) -> bool:
        """Whether there is such a file. A volume that does not answer is no answer."""
        return self._type(path) == "file"

    def isdir(self, path: str) -> bool:
        """Whether there is such a folder."""
        return self._type(path) == "directory"

    def exists(self, path: str, **_: Any) -> bool:
        """Whether there is such a file or folder."""
        return self._type(path) is not None

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **_: Any) -> bytes:
        """The bytes of a file, or of a part of it."""
        return self.bear(lambda: _read(path, start or 0, end), path=path)

    def cat_ranges(self, paths: Sequence[str], starts: Sequence[int], ends: Sequence[int], **_: Any) -> list[bytes]:
        """Parts of many files, each tried by itself."""
        return [self.cat_file(path, start, end) for path, start, end in zip(paths, starts, ends, strict=True)]

    def _open(self, path: str, mode: str = "rb", block_size: int | None = None, **_: Any) -> Any:
        """A file for reading."""
        size = int(self.info(path)["size"])
        return io.BufferedReader(_Reader(self, path, size), block_size or _BUFFER_BYTES)

    def _type(self, path: str) -> str | None:
        try:
            return str(self.info(path)["type"])
        except (FileNotFoundError, NotADirectoryError):
            return None

    def bear(self, question: Callable[[], Answer], *, path: Any) -> Answer:
        """The answer to a question about a path, asked again while what keeps it away may pass."""
        try:
            return self._patience.bear(question, may_pass=disk_errors.may_pass, what="the volume of spec.data.source")
        except OSError as problem:
            if not disk_errors.may_pass(problem):
                raise
            raise failed(
                f"{os.fspath(path)} could not be read for {self._patience.seconds:g} s: {disk_errors.words(problem)}.",
                cause=Cause.DATA_UNAVAILABLE,
                hint="See that the server or disk behind the claim of spec.data.source works; the next attempt goes on.",
            ) from problem


class _Reader(io.RawIOBase):
    """A file that is opened anew for every part: a server that comes back knows nothing of what was open."""

    def __init__(self, files: VolumeFiles, path: str, size: int) -> None:
        self._files, self._path, self._size = files, path, size
        self._position = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """See io."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        """See io."""
        return self._position

    def readinto(self, buffer: Any) -> int:
        """See io."""
        end = min(self._size, self._position + len(buffer))
        if end <= self._position:
            return 0
        content = self._files.cat_file(self._path, self._position, end)
        buffer[: len(content)] = content
        self._position += len(content)
        return len(content)


def _read(path: str, start: int, end: int | None) -> bytes:
    """The bytes from `start` up to `end`, or to the end of the file; fewer only when the file has no more.

    A file system may give fewer bytes than it is asked for (FUSE with direct I/O). One that says that there are more and gives
    none has stumbled: EIO.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(descriptor).st_size
        end = size if end is None else min(end, size)
        parts, position = [], start
        while position < end:
            part = os.pread(descriptor, min(end - position, _MOST_AT_ONCE), position)
            if not part:
                raise OSError(errno.EIO, f"it ends at byte {position}, and should have {size}", path)
            parts.append(part)
            position += len(part)
        return b"".join(parts) if len(parts) != 1 else parts[0]
    finally:
        os.close(descriptor)
