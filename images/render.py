"""The manifests of `manifests/base`, with the names of real images, as one file for `kubectl apply`."""

import json
import os
import platform
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from images.errors import ImageError
from images.recipe import RECIPES, ROOT

BASE = ROOT / "manifests" / "base"
ACCELERATED = {"trainer-gpu": "TRAINER_IMAGE_GPU", "trainer-tpu": "TRAINER_IMAGE_TPU"}
"""The setting that names each image which `manifests/base` does not."""
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
"""What Kubernetes calls the machines that images are built on, and for."""
_SETTINGS = "trainingrun-operator-settings"
_NAMESPACE = "trainingrun-system"
_TIMEOUT_SECONDS = 120


def render(
    references: Mapping[str, str],
    *,
    kubectl: str = "kubectl",
    settings: Mapping[str, str] | None = None,
    patches: Sequence[Mapping[str, Any]] = (),
    machine: str = platform.machine(),
    base: Path = BASE,
) -> str:
    """All manifests with these images, by their short names, which were built on such a machine.

    `settings` are added to those of the operator, and `patches` are kustomize's. `kubectl` builds it, as it does for users.
    `base` may be that of another version.
    Raises ImageError when there is no kubectl, or when the manifests do not take an image: a renamed one cannot go unnoticed.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary).resolve()
        made = overlay(references, settings=settings or {}, patches=patches, machine=machine)
        made["resources"] = [os.path.relpath(base.resolve(), start=folder)]
        (folder / "kustomization.yaml").write_text(json.dumps(made))
        text = _build(folder, kubectl=kubectl)
    for name, reference in references.items():
        if _without_idle_tag(reference) not in text:
            raise ImageError(f"{base} has no place for the image {name}: what is rendered does not name {reference}.")
    return text


def overlay(
    references: Mapping[str, str],
    *,
    settings: Mapping[str, str],
    patches: Sequence[Mapping[str, Any]] = (),
    machine: str = platform.machine(),
) -> dict[str, Any]:
    """The kustomization that changes `manifests/base`, without its resources."""
    chosen = {
        **({"TRAINER_ARCHITECTURE": ARCHITECTURES[machine]} if machine in ARCHITECTURES else {}),
        **{variable: _without_idle_tag(references[name]) for name, variable in ACCELERATED.items() if name in references},
        **settings,
    }
    merged = {
        "name": _SETTINGS,
        "namespace": _NAMESPACE,
        "behavior": "merge",
        "literals": [f"{name}={value}" for name, value in chosen.items()],
    }
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "images": [_image(name, reference) for name, reference in references.items() if name not in ACCELERATED],
        "configMapGenerator": [merged],
        "patches": list(patches),
    }


def _image(name: str, reference: str) -> dict[str, str]:
    """What kustomize puts in the place of the image that the manifests name."""
    named, _, digest = reference.partition("@")
    repository, _, last = named.rpartition("/")
    last, _, tag = last.partition(":")
    changed = {"name": RECIPES[name].repository, "newName": f"{repository}/{last}" if repository else last}
    return {**changed, **({"newTag": tag} if tag and not digest else {}), **({"digest": digest} if digest else {})}


def _without_idle_tag(reference: str) -> str:
    """The reference as kustomize writes it: a digest says all that a tag could."""
    named, at, digest = reference.partition("@")
    folder, slash, last = named.rpartition("/")
    return f"{folder}{slash}{last.partition(':')[0]}{at}{digest}" if digest else reference


def _build(folder: Path, *, kubectl: str) -> str:
    command = [kubectl, "kustomize", str(folder)]
    try:
        built = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False)
    except FileNotFoundError:
        raise ImageError(f"There is no {kubectl}, which puts the manifests together: install it, or add it to PATH.") from None
    if built.returncode != 0:
        raise ImageError(f"kubectl kustomize does not take the manifests: {built.stderr.strip()}")
    return built.stdout
