"""A remote file system whose refusals are sentences, and that bears a server's short absence."""

import io
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from fsspec import AbstractFileSystem
from fsspec.spec import AbstractBufferedFile

from trainingrun_trainer.remote.access import Access
from trainingrun_trainer.remote.filesystems import FileSystem
from trainingrun_trainer.remote.refusals import Meaning, meaning, no_bucket, refusal

PATIENCE_SECONDS = 10.0
"""How long a question is repeated that nobody answers. A server that takes longer to come back costs a restart."""
FIRST_PAUSE_SECONDS = 0.2

Answer = TypeVar("Answer")


class Guarded(AbstractFileSystem):  # type: ignore[misc]  # fsspec ships no types
    """The file system of a uri. A missing file is FileNotFoundError; all else that a server does wrong is a TrainerError.

    Bad config when credentials, bucket or certificate are wrong; retryable, with the cause of its `access`, when the server
    does not answer within the time-outs of `filesystems` and the patience here.
    """

    cachable = False

    def __init__(self, inner: FileSystem, *, access: Access) -> None:
        super().__init__()
        self._inner = inner
        self._access = access

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """Name, size and type of a file or folder."""
        found: dict[str, Any] = self._ask(lambda: self._inner.info(path))
        return found

    def ls(self, path: str, detail: bool = True, **_: Any) -> list[Any]:
        """The entries of a folder."""
        entries: list[Any] = self._ask(lambda: self._inner.ls(path, detail=detail))
        return entries

    def find(self, path: str, detail: bool = False, **_: Any) -> Any:
        """All files below a folder, from a store with one question."""
        return self._ask(lambda: self._inner.find(path, detail=detail))

    def exists(self, path: str, **_: Any) -> bool:
        """Whether there is such a file or folder. A server that does not answer is no answer."""
        return self._type(path) is not None

    def isfile(self, path: str) -> bool:
        """Whether there is such a file."""
        return self._type(path) == "file"

    def isdir(self, path: str) -> bool:
        """Whether there is such a folder; object stores have one where a name goes on below it."""
        return self._type(path) == "directory"

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **_: Any) -> bytes:
        """The bytes of a file, or of a part of it."""
        content: bytes = self._ask(lambda: self._inner.cat_file(path, start=start, end=end))
        return content

    def cat_ranges(self, paths: Sequence[str], starts: Any, ends: Any, **_: Any) -> list[bytes]:
        """Parts of many files, asked for at the same time."""
        parts: list[bytes] = self._ask(lambda: self._inner.cat_ranges(list(paths), starts, ends, on_error="raise"))
        return parts

    def pipe_file(self, path: str, value: bytes, **_: Any) -> None:
        """Write a file; it appears whole, or not at all."""
        self._tell(lambda: self._inner.pipe_file(path, value))

    def put_file(self, lpath: str, rpath: str, **_: Any) -> None:
        """Copy a local file here; it appears whole, or not at all."""
        self._tell(lambda: self._inner.put_file(lpath, rpath))

    def rm_file(self, path: str) -> None:
        """Remove a file."""
        self._ask(lambda: self._inner.rm_file(path))

    def _open(self, path: str, mode: str = "rb", block_size: int | None = None, **options: Any) -> Any:
        """A file for reading, whose parts are asked for as they are needed."""
        size = self.info(path).get("size")
        if size is None:  # a web server that does not say
            return io.BytesIO(self.cat_file(path))
        return AbstractBufferedFile(self, path, mode, block_size=block_size or "default", size=size)

    def _type(self, path: str) -> str | None:
        try:
            return str(self.info(path)["type"])
        except FileNotFoundError:
            return None

    def _tell(self, order: Callable[[], object]) -> None:
        """Write something; what is missing then is the bucket."""
        try:
            self._ask(order)
        except FileNotFoundError as missing:
            raise no_bucket(self._access) from missing

    def _ask(self, question: Callable[[], Answer]) -> Answer:
        began, pause = time.monotonic(), FIRST_PAUSE_SECONDS
        while True:
            try:
                return question()
            except Exception as problem:
                means, seconds = meaning(problem), time.monotonic() - began
                if means is Meaning.UNKNOWN:
                    raise
                if means is Meaning.MISSING:
                    raise FileNotFoundError(str(problem)) from problem
                if means is not Meaning.UNAVAILABLE or seconds + pause > PATIENCE_SECONDS:
                    raise refusal(problem, access=self._access, seconds=seconds) from problem
            time.sleep(pause)
            pause *= 2
