"""The manifests of `manifests/base`, with the names of real images, as one file for `kubectl apply`."""

import platform
import re
from collections.abc import Mapping

from images.errors import ImageError
from images.recipe import ROOT

BASE = ROOT / "manifests" / "base"
PLACEHOLDERS = {
    "operator": "image: trainingrun-operator:latest",
    "trainer": "value: trainingrun-trainer:latest",
    "trainer-gpu": 'name: TRAINER_IMAGE_GPU\n              value: ""',
    "trainer-tpu": 'name: TRAINER_IMAGE_TPU\n              value: ""',
}
"""Where the manifests name each image, or name none."""
ARCHITECTURE = 'name: TRAINER_ARCHITECTURE\n              value: ""'
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
"""What Kubernetes calls the machines that images are built on, and for."""


def render(references: Mapping[str, str], *, machine: str = platform.machine()) -> str:
    """All manifests, the CRD first, with these images, by their short names, which were built on such a machine.

    Raises ImageError when a placeholder is missing, so that a renamed image cannot go unnoticed.
    """
    names = re.findall(r"^\s*- (\S+\.yaml)$", (BASE / "kustomization.yaml").read_text(), flags=re.MULTILINE)
    text = "---\n".join((BASE / name).resolve().read_text() for name in names)
    for name, reference in references.items():
        text = _with(text, PLACEHOLDERS[name], reference, what=f"the image {name}")
    return _with(text, ARCHITECTURE, ARCHITECTURES.get(machine, '""'), what="their architecture")


def _with(text: str, placeholder: str, value: str, *, what: str) -> str:
    if placeholder not in text:
        raise ImageError(f"manifests/base has no place for {what}: there is no `{placeholder}`.")
    return text.replace(placeholder, f"{placeholder.rpartition(' ')[0]} {value}")
