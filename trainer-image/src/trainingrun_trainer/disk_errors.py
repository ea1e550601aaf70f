"""What an error of a mounted volume means, by its number: whether it may pass, and what to do about one that does not. Pure.

The numbers are those of Linux; network file systems and FUSE send the ones of connections, too.
"""

import errno

_MAY_PASS = frozenset(
    {
        # The disk, or a server behind the mount, stumbles or is away.
        *(errno.EIO, errno.EREMOTEIO, errno.ESTALE, errno.ENOTCONN, errno.ETIMEDOUT, errno.ENOLINK, errno.EPROTO),
        *(errno.ECONNABORTED, errno.ECONNREFUSED, errno.ECONNRESET, errno.EPIPE, errno.ESHUTDOWN),
        *(errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENETDOWN, errno.ENETUNREACH, errno.ENETRESET),
        errno.EKEYEXPIRED,  # a ticket of Kerberos, which is renewed
        # Somebody else has it, or there is no room for one more, just now.
        *(errno.EAGAIN, errno.EBUSY, errno.EINTR, errno.ENOLCK, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS),
    }
)
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_READ_ONLY = frozenset({errno.EROFS})
_DENIED = frozenset({errno.EACCES, errno.EPERM})


def may_pass(problem: BaseException) -> bool:
    """Whether it is worth another try."""
    return isinstance(problem, OSError) and problem.errno in _MAY_PASS


def way_out(problem: BaseException) -> str:
    """What to do about an error of the output's volume."""
    number = problem.errno if isinstance(problem, OSError) else None
    if number in _FULL:
        return "See that the claim of spec.output has space: enlarge it, or remove what is not needed."
    if number in _READ_ONLY:
        return (
            "See why the claim of spec.output is read-only: its volume is mounted so, or its file system was made so after an "
            "error of the disk."
        )
    if number in _DENIED:
        return "See that the claim of spec.output can be written by user and group 1000."
    if number in _MAY_PASS:
        return (
            "See that the server or disk behind the claim of spec.output works; the next attempt goes on from the checkpoint."
        )
    return "See that the claim of spec.output has space and can be written by user and group 1000."


def way_to_read(problem: OSError) -> str:
    """What to do about a file of the data that cannot be read."""
    return "Let user and group 1000 read it, and list the folders above it." if problem.errno in _DENIED else ""


def words(problem: BaseException) -> str:
    """The system's words."""
    return getattr(problem, "strerror", None) or str(problem)
