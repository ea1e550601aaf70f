"""How much memory this container may use, and this process does."""

import os
from collections.abc import Iterator
from pathlib import Path

MOUNT = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")
OWN_MEMORY = Path("/proc/self/statm")


def memory_limit(*, mount: Path = MOUNT, own_groups: Path = OWN_GROUPS) -> int:
    """Bytes: the lowest limit of the control groups that this process is in (v1 or v2), at most the machine's memory."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in _limit_files(mount, own_groups=own_groups):
        try:
            text = path.read_text().strip()
        except OSError:
            continue  # of the other version, or of a group whose path this container does not see
        if text.isdigit():  # without a limit it is "max", or on v1 a number larger than any machine's memory
            limits.append(int(text))
    return min(limits)


def used_memory() -> int:
    """Bytes of this process that are in memory, shared libraries included."""
    return int(OWN_MEMORY.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _limit_files(mount: Path, *, own_groups: Path) -> Iterator[Path]:
    """Where limits may be written. In a container the own group usually is the root of the mount."""
    yield mount / "memory.max"
    yield mount / "memory" / "memory.limit_in_bytes"
    try:
        lines = own_groups.read_text().splitlines()
    except OSError:
        return
    for _, controllers, path in (line.split(":", 2) for line in lines):
        if not controllers:
            yield mount / path.lstrip("/") / "memory.max"
        elif "memory" in controllers.split(","):
            yield mount / "memory" / path.lstrip("/") / "memory.limit_in_bytes"
