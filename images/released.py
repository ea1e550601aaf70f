"""Images as they are published: an OCI layout, whose digest is what a registry will call it. Made by buildah."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from images.builder import Buildah
from images.cache import cache_folder, locked
from images.errors import ImageError
from images.recipe import Recipe

LABEL = "org.opencontainers.image"


@dataclass(frozen=True)
class Origin:
    """What a published image says about itself, and the time that all its files claim."""

    version: str
    revision: str
    source: str
    """Address of the repository."""
    epoch: int
    """Seconds, as SOURCE_DATE_EPOCH."""


def build_layout(recipe: Recipe, origin: Origin, *, layout: Path) -> str:
    """Build an image into an OCI layout at `layout`, and return its digest, `sha256:...`.

    Nothing is taken from earlier builds, so that the same commit, base image and Debian packages make the same digest.
    """
    reference = f"localhost/{recipe.repository}:{origin.version}"
    with locked("images"):
        builder = Buildah.prepare(cache_folder())
        arguments = {"SOURCE_DATE_EPOCH": str(origin.epoch)}
        builder.build(target=recipe.name, reference=reference, arguments=arguments, options=_options(origin))
        builder.save_layout(reference=reference, layout=layout, tag=origin.version)
    forget_comments(layout)
    return digest(layout)


def digest(layout: Path) -> str:
    """What the one image of an OCI layout is called by its content. Raises ImageError when there is not one."""
    manifests = json.loads((layout / "index.json").read_text())["manifests"]
    if len(manifests) != 1:
        raise ImageError(f"{layout} has {len(manifests)} images instead of one: remove the folder.")
    return str(manifests[0]["digest"])


def forget_comments(layout: Path) -> None:
    """buildah notes in the history of an image what it has called the layers below, which it draws anew for each build."""
    index = json.loads((layout / "index.json").read_text())
    (described,) = index["manifests"]
    manifest = json.loads(_blob(layout, described).read_text())
    config = json.loads(_blob(layout, manifest["config"]).read_text())
    for entry in config["history"]:
        entry.pop("comment", None)
    _replace(layout, manifest["config"], config)
    _replace(layout, described, manifest)
    (layout / "index.json").write_text(json.dumps(index))


def _replace(layout: Path, descriptor: dict[str, Any], content: dict[str, Any]) -> None:
    """Put other content in the place of a blob, and say so in its descriptor."""
    _blob(layout, descriptor).unlink()
    data = json.dumps(content, separators=(",", ":"), sort_keys=True).encode()
    descriptor |= {"digest": f"sha256:{hashlib.sha256(data).hexdigest()}", "size": len(data)}
    _blob(layout, descriptor).write_bytes(data)


def _blob(layout: Path, descriptor: dict[str, Any]) -> Path:
    algorithm, _, value = str(descriptor["digest"]).partition(":")
    return layout / "blobs" / algorithm / value


def _options(origin: Origin) -> list[str]:
    labels = {"version": origin.version, "revision": origin.revision, "source": origin.source}
    given = [f"--label={LABEL}.{name}={value}" for name, value in labels.items() if value]
    return ["--no-cache", f"--timestamp={origin.epoch}", *given]
