"""The operator and trainer images: build, keep, push and name them. Standard library only."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from images import base, mounts
from images.builder import Buildah, choose
from images.cache import cache_folder, locked, locked_if_free
from images.errors import ImageError
from images.recipe import RECIPES, USUAL, Recipe
from images.render import render

__all__ = ["Archive", "ImageError", "build", "is_built", "names", "push", "render", "tidy"]


@dataclass(frozen=True)
class Archive:
    """A built image as a Docker archive, and the name that it has inside."""

    path: Path
    reference: str


def build(name: str) -> Archive:
    """Build an image unless it has not changed, and return its archive; older archives of the image are removed.

    Raises ImageError when something is missing or the build fails.
    """
    recipe = _recipe(name)
    archive = _archive(recipe)
    if archive.path.exists():
        return archive
    with locked("images"):
        if not archive.path.exists():
            _build(recipe, archive=archive)
    return archive


def is_built(name: str) -> bool:
    """Whether `build` would find the image as it is now."""
    return _archive(_recipe(name)).path.exists()


def names(*, registry: str, tag: str, accelerated: Sequence[str] = ()) -> dict[str, str]:
    """What the usual images and these others are called in a registry, by their short names."""
    return {name: f"{registry.rstrip('/')}/{_recipe(name).repository}:{tag}" for name in (*USUAL, *accelerated)}


def push(*, registry: str, tag: str, accelerated: Sequence[str] = ()) -> dict[str, str]:
    """Push the usual images and these others to a registry and return their names there."""
    pushed = names(registry=registry, tag=tag, accelerated=accelerated)
    for name, destination in pushed.items():
        reference = build(name).reference
        with locked("images"):
            choose(cache_folder()).push(reference=reference, destination=destination)
    return pushed


def tidy() -> None:
    """Take away the mounts and containers of builds that were interrupted; nothing happens while something is built."""
    cache = cache_folder()
    if not mounts.below([cache / "base", cache / "buildah"]):
        return
    with locked_if_free("images") as is_ours:
        if is_ours:
            base.tidy(cache)
            Buildah.of(cache).clear()


def _archive(recipe: Recipe) -> Archive:
    path = cache_folder() / "images" / f"{recipe.repository}-{recipe.tag}.tar"
    return Archive(path=path, reference=recipe.reference)


def _build(recipe: Recipe, *, archive: Archive) -> None:
    archive.path.parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(archive.path.parent).free
    if free < recipe.needed_bytes:
        raise ImageError(
            f"Building {recipe.name} needs {recipe.needed_bytes / 1e9:.0f} GB in {archive.path.parent}, and {free / 1e9:.1f} "
            "GB are free: free some space, or set TRAININGRUN_CACHE to a folder on a larger disk."
        )
    builder = choose(cache_folder())
    builder.build(target=recipe.name, reference=archive.reference)
    temporary = archive.path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    builder.save(reference=archive.reference, archive=temporary)
    for outdated in archive.path.parent.glob(f"{recipe.repository}-{'?' * len(recipe.tag)}.tar"):
        outdated.unlink()
    temporary.rename(archive.path)


def _recipe(name: str) -> Recipe:
    if name not in RECIPES:
        raise ImageError(f"There is no image {name!r}: take one of {', '.join(RECIPES)}.")
    return RECIPES[name]
