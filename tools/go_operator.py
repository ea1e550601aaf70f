"""Operators of other projects: built from their Go modules, and installed with those modules' own manifests."""

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cluster import Cluster
from cluster.binaries import GoModule, ensure_extra, source_of
from cluster.images import single_program_image
from images.cache import cache_folder
from tools.kubectl import Kubectl

_TAG = "local"


@dataclass(frozen=True)
class GoOperator:
    """One of them; its image has nothing but its program, at the root."""

    module: GoModule
    path: str
    """Path of the Go module that has the manifests."""
    manifests: str
    """Folder of the kustomization in that module."""
    placeholder: str
    """The image that the kustomization names."""

    @property
    def image(self) -> str:
        """The image without its tag."""
        return f"docker.io/library/{self.module.name}"

    def load(self, backend: Cluster) -> None:
        """Bring its image into the cluster. Building it takes some minutes the first time."""
        program = ensure_extra(self.module, cache=cache_folder())[self.module.name]
        archive = program.parent.with_name(f"{program.parent.name}-image.tar")
        reference = f"{self.image}:{_TAG}"
        if not archive.exists():
            archive.write_bytes(single_program_image(program, reference=reference))
        backend.load(archive)

    def render(self, admin: Kubectl, *, patches: Sequence[dict[str, str]] = ()) -> str:
        """Its manifests with our image and these kustomize patches."""
        with tempfile.TemporaryDirectory() as folder:
            overlay = {
                "resources": [os.path.relpath(self.source() / self.manifests, start=folder)],
                "images": [{"name": self.placeholder, "newName": self.image, "newTag": _TAG}],
                "patches": list(patches),
            }
            (Path(folder) / "kustomization.yaml").write_text(json.dumps(overlay))
            return admin.run("kustomize", folder)

    def source(self) -> Path:
        """Where Go keeps the module."""
        return source_of(self.path, module=self.module)
