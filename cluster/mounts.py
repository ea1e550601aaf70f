"""Mounts below the folders of a cluster: pods leave them when they are ended by force."""

from collections.abc import Iterable
from pathlib import Path

from cluster.shell import run


def below(folders: Iterable[Path]) -> list[str]:
    """Mount points in these folders, the innermost first."""
    prefixes = tuple(f"{folder}/" for folder in folders)
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return sorted((point for point in points if f"{point}/".startswith(prefixes)), reverse=True)


def unmount(folders: Iterable[Path]) -> None:
    """Unmount everything in these folders."""
    for point in below(folders):
        run(["umount", "--lazy", point])
