"""The chart of a release: a package for Helm whose own values name the images by their digests."""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.chart import CHART, readme
from tools.release import archives
from tools.release.errors import ReleaseError

_FLOW = '{repository: "?[\\w-]*"?, tag: "", digest: ""}'
PLACES = {
    "trainer": rf"(?<=^  image: ){_FLOW}$",
    "trainer-gpu": rf"(?<=^  gpuImage: ){_FLOW}$",
    "trainer-tpu": rf"(?<=^  tpuImage: ){_FLOW}$",
}
"""What in `values.yaml` gives way to each image of the trainer; the operator's has a line for each part."""


def package(references: Mapping[str, str], *, architecture: str, made: Path, version: str, epoch: int) -> Path:
    """Write `trainingrun-VERSION.tgz` with these images, by their short names and for nodes of this architecture; its path.

    A reference is REPOSITORY:TAG@DIGEST. Raises ReleaseError when `values.yaml` has no place for an image.
    """
    with TemporaryDirectory(dir=made.parent) as scratch:
        folder = Path(scratch) / "trainingrun"
        shutil.copytree(CHART, folder)
        values = folder / "values.yaml"
        values.write_text(named(values.read_text(), references, architecture=architecture))
        (folder / "README.md").write_text(readme(folder))
        path = made / f"trainingrun-{version}.tgz"
        archives.pack(folder, path, epoch=epoch, below="trainingrun", compressed=True)
    return path


def named(values: str, references: Mapping[str, str], *, architecture: str) -> str:
    """The text of `values.yaml` with these images."""
    values = _replaced(values, r'(?<=^  architecture: )""$', architecture, what="the architecture")
    for name, reference in references.items():
        tagged, _, digest = reference.partition("@")
        repository, _, tag = tagged.rpartition(":")
        if name == "operator":
            for part, text in {"repository": repository, "tag": repr(tag), "digest": digest}.items():
                values = _replaced(values, rf'(?<=^  {part}: )("")?[\w-]*$', text, what=f"the operator's {part}")
        else:
            text = f"{{repository: {repository!r}, tag: {tag!r}, digest: {digest!r}}}"
            values = _replaced(values, PLACES[name], text, what=f"the image {name}")
    return values


def _replaced(values: str, place: str, text: str, *, what: str) -> str:
    found = re.compile(place, re.MULTILINE).sub(lambda _: text, values, count=1)
    if found == values:
        raise ReleaseError(f"charts/trainingrun/values.yaml has no place for {what}: correct PLACES of tools/release/chart.py.")
    return found
