"""The manifests of `manifests/base`, with the names of real images, as one file for `kubectl apply`."""

import re

from images.errors import ImageError
from images.recipe import ROOT

BASE = ROOT / "manifests" / "base"
PLACEHOLDERS = {"operator": "trainingrun-operator:latest", "trainer": "trainingrun-trainer:latest"}


def render(*, operator: str, trainer: str) -> str:
    """All manifests, the CRD first, with these two image references.

    Raises ImageError when a placeholder is missing, so that a renamed image cannot go unnoticed.
    """
    names = re.findall(r"^\s*- (\S+\.yaml)$", (BASE / "kustomization.yaml").read_text(), flags=re.MULTILINE)
    text = "---\n".join((BASE / name).resolve().read_text() for name in names)
    for placeholder, reference in ((PLACEHOLDERS["operator"], operator), (PLACEHOLDERS["trainer"], trainer)):
        if placeholder not in text:
            raise ImageError(f"manifests/base does not name the image {placeholder}.")
        text = text.replace(placeholder, reference)
    return text
