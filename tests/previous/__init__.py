"""The version before this one, from the repository's history: its operator as an image, its manifests and its chart.

Its sources are in the image of this version in place of ours: upgrades are tried with the code that people have, without a
registry, and without building once more what has not changed.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

import cluster
from images.builder import choose
from images.cache import cache_folder, locked
from images.recipe import RECIPES, ROOT, fingerprint

FIRST = "c012639957d9e85ecb7765b77977d9fcc2acad61"
"""The oldest commit with the API that the first release has; the version before until there is a release."""

_SOURCES = ("sdk/src", "operator/src")
_FOLDER = Path(__file__).parent


def commit() -> str | None:
    """That of the newest release before this commit; None where the history of this checkout does not have it."""
    tag = _git("describe", "--tags", "--abbrev=0", "--match=v[0-9]*", "HEAD^")
    found = tag.stdout.strip() if tag.returncode == 0 else FIRST
    return found if _git("cat-file", "-e", f"{found}^{{commit}}").returncode == 0 else None


def checkout(into: Path) -> Path:
    """Write its files into an empty folder, and return the folder."""
    archive = into / "archive.tar"
    _git("archive", "--output", str(archive), str(commit())).check_returncode()
    shutil.unpack_archive(archive, into, filter="data")
    archive.unlink()
    return into


def _git(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, timeout=60, check=False)


def load(backend: cluster.Cluster, folder: Path) -> str:
    """Build the image of its operator from its files in `folder`, bring it into the cluster, and return its name."""
    operator = RECIPES["operator"]
    tag = f"{operator.tag}-{fingerprint(_SOURCES, root=folder)}"
    reference = f"docker.io/library/trainingrun-previous:{tag}"
    with locked("images"), tempfile.TemporaryDirectory() as made:
        builder, context = choose(cache_folder()), Path(made)
        builder.build(target=operator.name, reference=operator.reference)
        for sources in _SOURCES:
            shutil.copytree(folder / sources, context / "lib", dirs_exist_ok=True)
        shutil.copyfile(_FOLDER / "Dockerfile", context / "Dockerfile")
        arguments = {"OPERATOR": operator.reference}
        builder.build_from(context, target="previous", reference=reference, arguments=arguments)
        builder.save(reference=reference, archive=context / "image.tar")
        backend.load(context / "image.tar")
    return reference
