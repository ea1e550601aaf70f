"""All that a release consists of, in one folder."""

import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cluster import binaries
from images.cache import cache_folder
from images.recipe import RECIPES
from images.released import Origin, build_layout
from images.render import ARCHITECTURES, render
from tools.release import archives, bills, chart, checkout, sums, versions
from tools.release.errors import ReleaseError

MACHINE = platform.machine()
ARCHITECTURE = ARCHITECTURES.get(MACHINE, MACHINE)
"""Images are for the machine that they are built on."""


@dataclass(frozen=True)
class Wanted:
    """What is to be released, and where it will be found."""

    version: str
    registry: str
    source: str
    images: Sequence[str]

    def reference(self, name: str, digest: str) -> str:
        """What an image is called in the registry: by its version for people, by its digest for machines."""
        return f"{self.registry.rstrip('/')}/{RECIPES[name].repository}:{self.version}@{digest}"


def build(root: Path, wanted: Wanted, *, target: Path, sign: str = "") -> None:
    """Make everything at `target`; it is complete, or it is not there.

    Raises ReleaseError, ImageError or ClusterError with what is in the way.
    """
    commit = checkout.commit(root)
    _check(root, wanted, target=target)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".release-") as scratch:
        made = Path(scratch) / "made"
        made.mkdir()
        origin = Origin(wanted.version, commit.revision, wanted.source, commit.epoch)
        references = {name: _image(name, origin, wanted, made=made, scratch=Path(scratch)) for name in wanted.images}
        (made / "install.yaml").write_text(render(references, kubectl=_kubectl()))
        chart.package(references, architecture=ARCHITECTURE, made=made, version=wanted.version, epoch=commit.epoch)
        (made / "images.txt").write_text("".join(f"{reference}\n" for reference in references.values()))
        _wheel(root, origin, made=made)
        listed = sums.write(made)
        if sign:
            sums.sign(listed, command=sign)
        made.rename(target)
    print(f"{target} has all of {wanted.version}; {sums.NAME} names it.")


def _kubectl() -> str:
    """The one of this machine, else the cluster's, which is built from source unless it has been."""
    return shutil.which("kubectl") or str(binaries.ensure_extra(binaries.KUBERNETES, cache=cache_folder())["kubectl"])


def _check(root: Path, wanted: Wanted, *, target: Path) -> None:
    versions.order(wanted.version)
    there = versions.current(root)
    if there != wanted.version:
        raise ReleaseError(
            f"This commit is of version {there}, and {wanted.version} is to be released: make release-notes "
            f"VERSION={wanted.version}, commit, and try again; or check out the commit of that version."
        )
    if ARCHITECTURE != "amd64" and set(wanted.images) - {"operator"}:
        raise ReleaseError(
            f"This machine is {ARCHITECTURE}, for which TensorFlow publishes no wheel of tensorflow-cpu: release on x86_64, or "
            "take --images operator."
        )
    if target.exists():
        raise ReleaseError(f"{target} is there already, and nothing is overwritten: remove it, or choose another --target.")


def _image(name: str, origin: Origin, wanted: Wanted, *, made: Path, scratch: Path) -> str:
    """Build an image with its archive and its bill, and return what a registry will call it."""
    recipe = RECIPES[name]
    layout = scratch / name
    digest = build_layout(recipe, origin, layout=layout)
    stem = f"{recipe.repository}-{origin.version}-linux-{ARCHITECTURE}"
    bills.write(f"oci-dir:{layout}", made / f"{stem}.cdx.json", name=recipe.repository, version=origin.version)
    archives.pack(layout, made / f"{stem}.oci.tar", epoch=origin.epoch)
    shutil.rmtree(layout)
    return wanted.reference(name, digest)


def _wheel(root: Path, origin: Origin, *, made: Path) -> None:
    """The SDK for Python, and its bill."""
    programs = root / ".venv" / "bin"
    command = [str(programs / "uv"), "build", "--wheel", "--quiet", "--no-build-isolation", "--out-dir", str(made)]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(origin.epoch)}
    done = subprocess.run(
        [*command, "--python", str(programs / "python"), "sdk"],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise ReleaseError(f"The wheel of the SDK was not built: {done.stderr.strip()}")
    (made / ".gitignore").unlink(missing_ok=True)
    wheel = next(made.glob("*.whl"))
    bills.write(f"file:{wheel}", made / f"{wheel.stem}.cdx.json", name="trainingrun", version=origin.version)
