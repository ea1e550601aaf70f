"""Debian packages that builds and the trainer's environment need on this machine, installed when they are missing."""

import os
import shutil
from collections.abc import Mapping

from images.errors import ImageError
from images.shell import stream


def ensure(packages: Mapping[str, str], *, needed_by: str) -> None:
    """Install the packages whose program, their value, is missing, without starting their services.

    `needed_by` begins the sentence that says what is missing. Raises ImageError where that cannot be done.
    """
    missing = [package for package, program in packages.items() if shutil.which(program) is None]
    if not missing:
        return
    names = " ".join(missing)
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise ImageError(f"{needed_by} {names}, which this user cannot install (as root: apt-get install {names}).")
    print(f"  installing {names}", flush=True)
    environment = {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    stream(["apt-get", "update", "--quiet"], environment=environment, quiet=True)
    command = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *missing]
    stream(command, environment=environment, quiet=True)
