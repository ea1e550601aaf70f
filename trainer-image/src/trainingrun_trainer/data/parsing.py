"""The border around other people's readers: whatever one raises about what is in a file is a sentence that names the file."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from trainingrun_trainer.errors import TrainerError, bad_data


class Watched:
    """An open file that remembers what its storage has raised: that is nothing about what is in it."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.refusal: Exception | None = None

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        try:
            content: bytes = self._file.read(size)
        except Exception as refusal:
            self.refusal = refusal
            raise
        return content

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@contextmanager
def parsing(name: str, *, what: str, way_out: str, file: Watched | None = None) -> Iterator[None]:
    """Within it a library reads `name`, which should be `what`, and nothing of our own runs.

    Storage's errors pass: OSError, and what `file` has raised. Raises TrainerError (bad data) for all others.
    """
    try:
        yield
    except TrainerError:
        raise
    except MemoryError as large:
        raise bad_data(
            f"{name} needs more memory than there is: {_said(large)}. Raise the memory of spec.workers.resources; if it should "
            "be small, it is damaged: copy it again."
        ) from large
    except Exception as problem:
        if file is not None and file.refusal is not None:
            raise file.refusal from None  # zipfile calls any OSError a bad archive
        if isinstance(problem, OSError) and not isinstance(problem, gzip.BadGzipFile):
            raise
        raise bad_data(f"{name} is no readable {what}: {_said(problem)}. {way_out}") from problem


def _said(problem: Exception) -> str:
    """What an error says, in one line, and its kind where it says nothing."""
    lines = str(problem).strip().splitlines()
    return lines[0].strip().rstrip(".") if lines else type(problem).__name__
