"""The manifests of `manifests/base`, with the names of real images, as one file for `kubectl apply`."""

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


def render(references: Mapping[str, str]) -> str:
    """All manifests, the CRD first, with these images, by their short names.

    Raises ImageError when a placeholder is missing, so that a renamed image cannot go unnoticed.
    """
    names = re.findall(r"^\s*- (\S+\.yaml)$", (BASE / "kustomization.yaml").read_text(), flags=re.MULTILINE)
    text = "---\n".join((BASE / name).resolve().read_text() for name in names)
    for name, reference in references.items():
        placeholder = PLACEHOLDERS[name]
        if placeholder not in text:
            raise ImageError(f"manifests/base has no place for the image {name}: there is no `{placeholder}`.")
        text = text.replace(placeholder, f"{placeholder.rpartition(' ')[0]} {reference}")
    return text
