"""One folder takes the place of another, in one instant where the file system can do that."""

import ctypes
import errno
import os
from pathlib import Path

_HERE = -100
"""`AT_FDCWD` of the kernel."""
_EXCHANGE = 2
"""`RENAME_EXCHANGE` of the kernel."""
_CANNOT_EXCHANGE = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP}


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


def _exchange(one: Path, other: Path) -> None:
    """Swap two names; Python's `os` does not offer this system call."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(one))
