"""Debian packages that builds and the trainer's environment need on this machine, installed when they are missing."""

from collections.abc import Mapping

from images import apt
from images.errors import ImageError
from images.shell import stream


def ensure(packages: Mapping[str, str], *, needed_by: str) -> None:
    """Install the packages whose program, their value, is missing, without starting their services.

    `needed_by` begins the sentence that says what is missing. Raises ImageError where that cannot be done.
    """
    names = " ".join(apt.missing(packages))
    if not names:
        return
    if not apt.can_install():
        raise ImageError(f"{needed_by} {names}, which this user cannot install (as root: apt-get install {names}).")
    apt.install(packages, run=lambda command, environment: stream(command, environment=environment, quiet=True))
