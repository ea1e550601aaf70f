"""The commit that is released."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tools.release.errors import ReleaseError


@dataclass(frozen=True)
class Commit:
    """A commit without any changes on top."""

    revision: str
    epoch: int
    """When it was made, in seconds; all files of a release claim to be of then (SOURCE_DATE_EPOCH)."""


def commit(root: Path) -> Commit:
    """What is checked out. Raises ReleaseError when files were changed since."""
    changed = _git(root, "status", "--porcelain")
    if changed:
        raise ReleaseError(f"A release is made of a commit, and these files are not of it: commit or remove them.\n{changed}")
    revision, epoch = _git(root, "log", "-1", "--format=%H %ct").split()
    return Commit(revision, int(epoch))


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ReleaseError(f"git {arguments[0]} failed in {root}: {done.stderr.strip()}")
    return done.stdout.rstrip()
