"""Write to the output so that nobody ever finds half of something under its final name."""

import ctypes
import errno
import os
from pathlib import Path

from trainingrun.contract import Cause
from trainingrun_trainer.errors import TrainerError, failed

_HERE = -100
"""`AT_FDCWD` of the kernel."""
_EXCHANGE = 2
"""`RENAME_EXCHANGE` of the kernel."""
_CANNOT_EXCHANGE = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP}


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that, also after a crash, it is there with all its content or not at all."""
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


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


def output_failed(path: Path, problem: OSError) -> TrainerError:
    """The error for an output that cannot be written."""
    return failed(
        f"The output cannot be written at {path}: {problem.strerror or problem}.",
        cause=Cause.OUTPUT_FAILED,
        hint="See that the claim of spec.output has space and can be written by user and group 1000.",
    )


def _exchange(one: Path, other: Path) -> None:
    """Swap two names; Python's `os` does not offer this system call."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(one))
