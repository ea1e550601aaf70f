"""What this container may use of its machine, by its control groups (v1 or v2), and what this process does use."""

import math
import os
from collections.abc import Iterator
from pathlib import Path

MOUNT = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")
OWN_MEMORY = Path("/proc/self/statm")


def memory_limit(*, mount: Path = MOUNT, own_groups: Path = OWN_GROUPS) -> int:
    """Bytes: the lowest limit of the control groups that this process is in, at most the machine's memory."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for folder in _groups("memory", mount=mount, own_groups=own_groups):
        for text in _texts(folder, ("memory.max",), ("memory.limit_in_bytes",)):
            if text.isdigit():  # without a limit it is "max", or on v1 a number larger than any machine's memory
                limits.append(int(text))
    return min(limits)


def processors_per_rank(ranks: int, *, mount: Path = MOUNT, own_groups: Path = OWN_GROUPS) -> int:
    """How many processors one of so many ranks may keep busy, at least one. More threads would only stop each other.

    All ranks together have those that they may run on, at most as many as the lowest limit gives the time of, rounded up.
    """
    limits = [len(os.sched_getaffinity(0))]
    for folder in _groups("cpu", mount=mount, own_groups=own_groups):
        for text in _texts(folder, ("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us")):
            quota, period = text.split()
            if quota.isdigit():  # without a limit it is "max", or on v1 -1
                limits.append(math.ceil(int(quota) / int(period)))
    return max(1, min(limits) // ranks)


def used_memory() -> int:
    """Bytes of this process that are in memory, shared libraries included."""
    return int(OWN_MEMORY.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _groups(controller: str, *, mount: Path, own_groups: Path) -> Iterator[Path]:
    """Where limits may be written. In a container the own group usually is the root of the mount."""
    yield mount
    yield mount / controller
    try:
        lines = own_groups.read_text().splitlines()
    except OSError:
        return
    for _, controllers, path in (line.split(":", 2) for line in lines):
        if not controllers:
            yield mount / path.lstrip("/")
        elif controller in controllers.split(","):
            yield mount / controller / path.lstrip("/")


def _texts(folder: Path, *versions: tuple[str, ...]) -> Iterator[str]:
    """What the files of a version say, of each that the folder has."""
    for names in versions:
        try:
            yield " ".join((folder / name).read_text().strip() for name in names)
        except OSError:
            continue  # of the other version, or of a group whose path this container does not see
