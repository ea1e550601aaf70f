"""The base image where no registry can be reached: a minimal Debian with Python, made by debootstrap."""

import re
import shutil
import subprocess
import tarfile
from pathlib import Path

from images import mounts
from images.errors import ImageError
from images.shell import stream

SUITE = "bookworm"
PACKAGES = ("python3", "python3-venv", "ca-certificates")
REFERENCE = "localhost/trainingrun-base:bookworm"


def ensure_archive(cache: Path) -> Path:
    """A tar of the base image's root file system; made once, in about a minute."""
    archive = cache / "base" / f"{SUITE}.tar"
    if archive.exists():
        return archive
    archive.parent.mkdir(parents=True, exist_ok=True)
    print("  making a base image with debootstrap", flush=True)
    tidy(cache)
    root = _root(cache)
    stream(
        ["debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", SUITE, root, debian_mirror()],
        quiet=True,
    )
    for leftover in (*root.glob("var/cache/apt/archives/*.deb"), *root.glob("var/lib/apt/lists/*_*")):
        leftover.unlink()
    made = archive.with_suffix(".new")
    with tarfile.open(made, "w") as tar:
        tar.add(root, arcname=".", filter=_without_devices)
    made.rename(archive)
    tidy(cache)
    return archive


def tidy(cache: Path) -> None:
    """Remove what an interrupted debootstrap has left, and first what it has mounted there."""
    mounts.unmount([_root(cache)])
    shutil.rmtree(_root(cache), ignore_errors=True)


def _root(cache: Path) -> Path:
    return cache / "base" / f"{SUITE}.root"


def debian_mirror() -> str:
    """The Debian mirror that this machine's apt uses."""
    policy = subprocess.run(["apt-cache", "policy", "debootstrap"], capture_output=True, text=True, check=False).stdout
    for line in policy.splitlines():
        found = re.match(rf"\s+\d+ (https?://\S+) {SUITE}/main ", line)
        if found:
            return found.group(1)
    raise ImageError(
        f"apt knows no mirror of Debian {SUITE}, which the base image is made from: run `apt-get update`, or install Docker, "
        "which takes the base image from a registry."
    )


def _without_devices(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Device files cannot be unpacked everywhere, and a container gets its own."""
    return None if entry.isdev() and not entry.isfile() else entry
