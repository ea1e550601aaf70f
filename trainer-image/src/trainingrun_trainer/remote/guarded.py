"""A remote file system whose refusals are sentences, and that bears a server's absence."""

import io
from collections.abc import Callable, Sequence
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.spec import AbstractBufferedFile

from trainingrun_trainer.patience import BRIEF_SECONDS, Answer, Patience, Trouble
from trainingrun_trainer.remote.access import Access
from trainingrun_trainer.remote.filesystems import FileSystem
from trainingrun_trainer.remote.meaning import Meaning, meaning
from trainingrun_trainer.remote.refusals import Action, no_bucket, refusal

_FIRST_SHARE = 0.2
"""Of the patience, until a server has answered for the first time: a mistyped address is not tried for minutes. A brief
patience is not made briefer."""


class Guarded(AbstractFileSystem):  # type: ignore[misc]  # fsspec ships no types
    """The file system of a uri. A missing file is FileNotFoundError, all else that a server does wrong a TrainerError.

    Bad config when credentials, bucket or certificate are wrong, or when what they permit is not enough. What has been
    permitted before will be again, perhaps with the keys that the Secret has by then, and what a server cannot do now it may
    do later: both are tried again, each object by itself, and in the end are an error with the cause of `access` that another
    attempt may survive.
    """

    cachable = False

    def __init__(self, connect: Callable[[Access], FileSystem], *, access: Access, patience: Patience) -> None:
        """Raises TrainerError about what is missing in the Secret."""
        super().__init__()
        self._connect, self._access, self._patience = connect, access, patience
        self._inner = connect(access)
        self._worked: set[Action] = set()

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """Name, size and type of a file or folder."""
        found: dict[str, Any] = self._ask(Action.LOOK, lambda inner: inner.info(path))
        return found

    def ls(self, path: str, detail: bool = True, **_: Any) -> list[Any]:
        """The entries of a folder."""
        entries: list[Any] = self._ask(Action.LIST, lambda inner: inner.ls(path, detail=detail))
        return entries

    def find(self, path: str, detail: bool = False, **_: Any) -> Any:
        """All files below a folder, from a store with one question."""
        return self._ask(Action.LIST, lambda inner: inner.find(path, detail=detail))

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
        content: bytes = self._ask(Action.READ, lambda inner: inner.cat_file(path, start=start, end=end))
        return content

    def cat_ranges(self, paths: Sequence[str], starts: Any, ends: Any, **_: Any) -> list[bytes]:
        """Parts of many files, asked for at the same time; those that have failed are asked for again."""
        parts: dict[int, bytes] = {}
        left = list(range(len(paths)))
        with self._trouble() as trouble:
            while True:
                asked = [[values[place] for place in left] for values in (paths, starts, ends)]
                answers = dict(zip(left, self._inner.cat_ranges(*asked, on_error="return"), strict=True))
                problems = [answer for answer in answers.values() if isinstance(answer, BaseException)]
                parts |= {place: answer for place, answer in answers.items() if isinstance(answer, bytes)}
                if parts:
                    self._worked.add(Action.READ)
                if not problems:
                    return [parts[place] for place in range(len(paths))]
                left = [place for place in left if place not in parts]
                for problem in problems:
                    self._require_passing(problem, action=Action.READ, trouble=trouble)
                self._bear(problems[0], action=Action.READ, trouble=trouble)

    def pipe_file(self, path: str, value: bytes, **_: Any) -> None:
        """Write a file; it appears whole, or not at all."""
        self._tell(lambda inner: inner.pipe_file(path, value))

    def put_file(self, lpath: str, rpath: str, **_: Any) -> None:
        """Copy a local file here; it appears whole, or not at all."""
        self._tell(lambda inner: inner.put_file(lpath, rpath))

    def rm_file(self, path: str) -> None:
        """Remove a file."""
        self._ask(Action.REMOVE, lambda inner: inner.rm_file(path))

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

    def _tell(self, order: Callable[[FileSystem], object]) -> None:
        """Write something; what is missing then is the bucket."""
        try:
            self._ask(Action.WRITE, order)
        except FileNotFoundError as missing:
            raise no_bucket(self._access) from missing

    def _ask(self, action: Action, question: Callable[[FileSystem], Answer]) -> Answer:
        with self._trouble() as trouble:
            while True:
                try:
                    answer = question(self._inner)
                except Exception as problem:
                    self._require_passing(problem, action=action, trouble=trouble)
                    self._bear(problem, action=action, trouble=trouble)
                else:
                    self._worked.add(action)
                    return answer

    def _trouble(self) -> Trouble:
        return self._patience.trouble(f"{self._access.uri} ({self._access.field}.uri)")

    def _require_passing(self, problem: BaseException, *, action: Action, trouble: Trouble) -> None:
        """Raise what an error means, unless it is worth another try."""
        means = meaning(problem)
        if means is Meaning.UNKNOWN:
            raise problem
        if means is Meaning.MISSING:
            self._worked.add(action)  # who may not ask is not told what there is not
            raise FileNotFoundError(str(problem)) from problem
        if means is Meaning.UNAVAILABLE or (means.is_said_of_all and action in self._worked):
            return
        raise refusal(problem, access=self._access, action=action, seconds=trouble.seconds) from problem

    def _bear(self, problem: BaseException, *, action: Action, trouble: Trouble) -> None:
        """Pause before another try. Raises TrainerError when patience is at an end."""
        seconds = self._patience.seconds
        first = min(seconds, max(_FIRST_SHARE * seconds, BRIEF_SECONDS))
        if not trouble.wait(problem, seconds=seconds if self._worked else first):
            worked = action in self._worked
            raise refusal(problem, access=self._access, action=action, seconds=trouble.seconds, worked=worked) from problem
        if meaning(problem) is Meaning.REFUSED:
            self._inner = self._connect(self._access)  # the Secret may have newer keys by now
