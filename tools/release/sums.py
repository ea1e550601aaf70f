"""Checksums of what is released, and signatures if somebody can give them."""

import hashlib
import shlex
import subprocess
from pathlib import Path

from tools.release.errors import ReleaseError

NAME = "SHA256SUMS"


def write(folder: Path) -> Path:
    """A file that `sha256sum --check` reads, of all files in the folder; its path."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != NAME)
    path = folder / NAME
    path.write_text("".join(f"{_sum(each)}  {each.relative_to(folder)}\n" for each in files))
    return path


def sign(path: Path, *, command: str) -> None:
    """Run a command with the file's path as its last word: it leaves the signature where it wants to.

    Raises ReleaseError when it fails or is not there.
    """
    words = shlex.split(command)
    try:
        done = subprocess.run([*words, str(path)], check=False)
    except FileNotFoundError:
        raise ReleaseError(f"SIGN names the program {words[0]}, which is not installed.") from None
    if done.returncode != 0:
        raise ReleaseError(f"`{command} {path.name}` ended with code {done.returncode}: nothing is signed.")


def _sum(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
