"""Build what a machine lacks before a cluster can start and train: programs and images, side by side.

Compiling keeps the processors busy; an image waits for the network and the disk most of the time.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import cluster
import images
from cluster import binaries
from cluster import packages as of_cluster
from cluster.embedded import EmbeddedCluster
from images import apt, builder
from images.cache import cache_folder
from images.recipe import USUAL
from tools.parts import Lane, Part, run

MINUTES = {"Kubernetes": 9, "operator": 2, "trainer": 5}
"""What the longest parts took on another machine, one after the other (docs/benchmarks.md)."""


def prepare(backend: cluster.Cluster, *, with_images: bool) -> None:
    """Build the programs of an embedded cluster, and the usual images if wanted; quiet and quick when all is there.

    Raises ClusterError, ImageError or PartError.
    """
    missing = [name for name in USUAL if not images.is_built(name)] if with_images else []
    programs: list[Part] = []
    needed: dict[str, str] = {}
    if isinstance(backend, EmbeddedCluster):
        backend.check_rights()
        programs = [program_part()] if are_programs_missing() else []
        needed |= of_cluster.PACKAGES
    if missing:
        needed |= builder.needed_packages()
    side_by_side(programs, [*package_parts(needed), *(image_part(name) for name in missing)])


def side_by_side(*lanes: Sequence[Part]) -> None:
    """Run these parts, unless there are none, and say first what they are."""
    parts = [part for lane in lanes for part in lane]
    if not parts:
        return
    folder = cache_folder() / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    print(announcement(parts, logs=folder), flush=True)
    run([Lane(lane, log=folder / f"prepare-{number}.log") for number, lane in enumerate(lanes, start=1) if lane])


def announcement(parts: Sequence[Part], *, logs: Path) -> str:
    """What is made, and about how long it takes."""
    made = "\n".join(f"    {part.name:28} {part.minutes} min" for part in parts)
    return f"  This is made first, and once; the minutes are those of another machine with two cores. Logs: {logs}\n{made}"


def are_programs_missing() -> bool:
    """Whether a program of the embedded cluster has to be built. Raises ClusterError when Go is missing."""
    return not all(binaries.is_built(module, cache=cache_folder()) for module in binaries.MODULES)


def program_part() -> Part:
    """Kubernetes, etcd, CoreDNS and the pause program. It stands back for what waits more and has less to do at once."""
    return Part("Kubernetes", ["nice", "-n", "5", sys.executable, "-m", "cluster", "build"], minutes=MINUTES["Kubernetes"])


def image_part(name: str) -> Part:
    """One image."""
    return Part(f"{name} image", [sys.executable, "-m", "images", "build", name], minutes=MINUTES.get(name, 1))


def package_parts(packages: Mapping[str, str]) -> list[Part]:
    """Debian packages, if one is missing: all in one transaction, since dpkg lets nobody else in while it works."""
    if not apt.missing(packages):
        return []
    return [
        Part(
            "Debian packages", [sys.executable, "-m", "tools.packages", *(f"{name}={file}" for name, file in packages.items())]
        )
    ]
