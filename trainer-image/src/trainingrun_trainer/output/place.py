"""The protocol of a file or folder on the output, and what both kinds of output promise.

| | volume | object store |
|---|---|---|
| a file | whole or not there, also after a crash | whole or not there |
| a folder that takes another's place | in one instant; on NFS there is a moment without it | file by file, without its seal |
| an addition to a file | at its end | the file is written anew: one writer only |
"""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol, Self

from trainingrun_trainer.errors import TrainerError
from trainingrun_trainer.patience import Patience


class UnreadableError(TrainerError):
    """A file is there, and cannot be read, however long one waits."""

    @classmethod
    def of(cls, problem: TrainerError) -> Self:
        """The same, said of one file."""
        return cls(str(problem), cause=problem.cause, exit_code=problem.exit_code, hint=problem.hint)


class Place(Protocol):
    """A file or folder on the output. What cannot be done is a TrainerError, retryable with cause OutputFailed, or final when
    the specification has to be corrected. What may pass is borne for a while.
    """

    @property
    def uri(self) -> str:
        """Its address, as people are told it."""

    def join(self, name: str) -> "Place":
        """A file or folder in it."""

    def within(self, patience: Patience) -> "Place":
        """The same place, for whoever has another patience."""

    def names(self) -> list[str]:
        """The names of what is in this folder; none when there is no such folder."""

    def read(self) -> bytes:
        """The content of this file. Raises FileNotFoundError, or UnreadableError when it is this file that cannot be read."""

    def write(self, content: bytes) -> None:
        """Write this file; nobody ever finds a part of it."""

    def put(self, file: Path) -> None:
        """Write this file with the content of a local one; nobody ever finds a part of it."""

    def append(self, content: bytes) -> None:
        """Add to the end of this file, which is made if need be."""

    def remove(self) -> None:
        """Remove this file, if it is there."""

    def claim(self) -> None:
        """Let this folder be found by its name, also while nothing is in it."""

    def tidy(self) -> None:
        """Take away what older attempts, which have crashed, have left half-written in this folder. Only the newest may."""

    def staging(self, label: str) -> AbstractContextManager[Path]:
        """A local path for a folder that will be published here; whatever is there at the end of the context is removed."""

    def publish(self, staged: Path, *, seal: "Place") -> None:
        """Give this folder's place to a staged one.

        `seal` is the file whose presence says that the folder is whole: the caller writes it afterwards, and where a folder
        cannot change in one instant it is removed before.
        """
