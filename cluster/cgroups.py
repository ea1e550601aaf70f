"""The control groups that hold the cluster's pods: made before the kubelet starts, removed with everything in them."""

import time
from collections.abc import Iterator
from pathlib import Path

from cluster.errors import ClusterError
from cluster.processes import end

ROOT = Path("/sys/fs/cgroup")


def make(name: str) -> None:
    """Make a cgroup of this name in every hierarchy.

    Raises ClusterError when the cgroup file systems are not writable, as in most containers.
    """
    for hierarchy in hierarchies():
        folder = hierarchy / name
        try:
            folder.mkdir(exist_ok=True)
            _inherit_cpuset(folder)
            _delegate(hierarchy)
        except OSError as refused:
            raise ClusterError(
                f"The cgroup {folder} cannot be made ({refused.strerror}): the embedded cluster must run as root with "
                "a writable /sys/fs/cgroup. Use CLUSTER=kind or CLUSTER=existing elsewhere."
            ) from refused


def remove(name: str) -> None:
    """End all processes in the cgroups of this name and remove them; also fine when there are none."""
    end(sorted(processes(name)), grace=0)
    for hierarchy in hierarchies():
        for folder in _deepest_first(hierarchy / name):
            _remove_folder(folder)


def processes(name: str) -> set[int]:
    """Pids of all processes in the cgroups of this name."""
    return {
        int(line)
        for hierarchy in hierarchies()
        for folder in _deepest_first(hierarchy / name)
        for line in _read(folder / "cgroup.procs").split()
    }


def hierarchies() -> tuple[Path, ...]:
    """Mount points of the cgroup hierarchies: many with version 1, one with version 2."""
    if (ROOT / "cgroup.controllers").exists():
        return (ROOT,)
    return tuple(sorted(path for path in ROOT.iterdir() if path.is_dir() and not path.is_symlink()))


def _inherit_cpuset(folder: Path) -> None:
    """A new version 1 cpuset is empty, and no process may enter it until it has processors and memory nodes."""
    for file in ("cpuset.cpus", "cpuset.mems"):
        target = folder / file
        if target.exists() and (folder.parent / file).exists() and not _read(target).strip():
            target.write_text((folder.parent / file).read_text())


def _delegate(hierarchy: Path) -> None:
    """Version 2 gives controllers to a child only when its parent says so."""
    control = hierarchy / "cgroup.subtree_control"
    if control.exists():
        available = _read(hierarchy / "cgroup.controllers").split()
        control.write_text(" ".join(f"+{controller}" for controller in available))


def _deepest_first(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        return
    for child in folder.iterdir():
        if child.is_dir():
            yield from _deepest_first(child)
    yield folder


def _remove_folder(folder: Path) -> None:
    """Remove one cgroup; the kernel refuses for a moment after its last process has ended."""
    deadline = time.monotonic() + 10
    while True:
        try:
            folder.rmdir()
            return
        except FileNotFoundError:
            return
        except OSError as busy:
            if time.monotonic() > deadline:
                raise ClusterError(f"The cgroup {folder} cannot be removed: {busy.strerror}.") from busy
            time.sleep(0.05)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
