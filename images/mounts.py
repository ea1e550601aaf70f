"""Mounts below folders: pods and builders leave them when they are ended by force. Standard library only."""

import subprocess
from collections.abc import Iterable
from pathlib import Path


def below(folders: Iterable[Path]) -> list[str]:
    """Mount points in these folders, the innermost first."""
    prefixes = tuple(f"{folder}/" for folder in folders)
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return sorted((point for point in points if f"{point}/".startswith(prefixes)), reverse=True)


def unmount(folders: Iterable[Path]) -> None:
    """Unmount everything in these folders. Raises OSError when the kernel refuses, so that nobody empties a mounted folder."""
    for point in below(folders):
        done = subprocess.run(["umount", "--lazy", point], capture_output=True, text=True, check=False)
        if done.returncode != 0 and point in below(folders):
            raise OSError(f"{point} cannot be unmounted: {done.stderr.strip()}")
