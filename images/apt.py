"""Debian packages of this machine, installed by one process at a time. Standard library only."""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from images.cache import locked

Run = Callable[[Sequence[str], Mapping[str, str]], object]
"""Runs a command with the environment variables that it needs besides ours, and raises when it fails."""

_ENVIRONMENT = {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
"""Nothing is asked, and no service is started."""


def missing(packages: Mapping[str, str]) -> list[str]:
    """The packages whose file, their value, is neither there nor a program on the path."""
    return [package for package, file in packages.items() if not _is_there(file)]


def install(packages: Mapping[str, str], *, run: Run) -> None:
    """Install those that are missing, all at once, without starting their services."""
    with locked("apt"):
        names = missing(packages)
        if not names:
            return
        print(f"  installing {' '.join(names)}", flush=True)
        run(["apt-get", "update", "--quiet"], _ENVIRONMENT)
        patient = ["--option", "DPkg::Lock::Timeout=600"]
        run(["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *patient, *names], _ENVIRONMENT)


def can_install() -> bool:
    """Whether this system has apt, and this user may use it."""
    return shutil.which("apt-get") is not None and os.geteuid() == 0


def _is_there(file: str) -> bool:
    path = Path(file)
    return path.exists() or shutil.which(path.name) is not None
