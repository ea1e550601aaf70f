"""Wishes that chart and kustomize fulfil alike, and what each makes of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from images.recipe import ROOT
from tests.helm.objects import Identity, Raw, of_chart, of_kustomize
from tests.helm.program import CHART, Helm
from tools.kubectl import Kubectl

NAMESPACE = "trainingrun-system"
DIGEST = "sha256:" + "0" * 64
LATEST = {"image": {"tag": "latest"}, "trainer": {"image": {"tag": "latest"}}}
"""The images of `manifests/base`."""


@dataclass(frozen=True)
class Wish:
    """The same wish in the words of the chart, and in those of an overlay of `manifests/base`."""

    values: Mapping[str, Any] = field(default_factory=dict)
    overlay: Mapping[str, Any] = field(default_factory=dict)
    components: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()


WISHES = {
    "nothing": Wish(),
    **{
        f"gangs by {kind}": Wish(values={"gangScheduler": kind}, components=(f"gang-{kind.lower()}",))
        for kind in ("Kubernetes", "Coscheduling", "Volcano")
    },
    "some namespaces": Wish(
        values={"watchNamespaces": ["vision", "speech"]},
        components=("namespaced",),
        namespaces=("vision", "speech"),
        settings=("WATCH_NAMESPACES=vision,speech",),
    ),
    "gangs in one namespace": Wish(
        values={"watchNamespaces": ["vision"], "gangScheduler": "Volcano"},
        components=("namespaced", "gang-volcano"),
        namespaces=("vision",),
        settings=("WATCH_NAMESPACES=vision",),
    ),
    "a guard": Wish(values={"guard": {"enabled": True}}, components=("guard",)),
    "metrics": Wish(values={"serviceMonitor": {"enabled": True}}, components=("service-monitor",)),
    "images": Wish(
        values={
            "image": {"repository": "registry.example:5000/team/operator", "digest": DIGEST},
            "trainer": {
                "architecture": "amd64",
                "image": {"repository": "registry.example/trainer", "tag": "1.0"},
                "gpuImage": {"repository": "registry.example/trainer-gpu", "digest": DIGEST},
            },
        },
        overlay={
            "images": [
                {"name": "trainingrun-operator", "newName": "registry.example:5000/team/operator", "digest": DIGEST},
                {"name": "trainingrun-trainer", "newName": "registry.example/trainer", "newTag": "1.0"},
                {"name": "trainingrun-trainer-gpu", "newName": "registry.example/trainer-gpu", "digest": DIGEST},
            ]
        },
        settings=("TRAINER_IMAGE_GPU=trainingrun-trainer-gpu", "TRAINER_ARCHITECTURE=amd64"),
    ),
    "settings": Wish(
        values={"settings": {"RETRY_SECONDS": 0.05, "RESYNC_SECONDS": 86400, "WORKER_USER": 1000650000}},
        settings=("RETRY_SECONDS=0.05", "RESYNC_SECONDS=86400", "WORKER_USER=1000650000"),
    ),
}


def rendered(helm: Helm, values: Mapping[str, Any]) -> dict[Identity, Raw]:
    """What the chart makes of these values, with the images of `manifests/base`."""
    printed = helm.run("template", "trainingrun", str(CHART), "--namespace", NAMESPACE, values=merged(LATEST, values))
    return of_chart(printed)


def merged(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Both as Helm merges values: the second wins."""
    both = {name: merged(first[name], second[name]) for name in first if isinstance(second.get(name), dict)}
    return {**first, **second, **both}


def built(kubectl: Kubectl, wish: Wish, *, folder: Path) -> dict[Identity, Raw]:
    """What kustomize makes of an overlay in the folder, as a user writes it."""
    manifests = Path("manifests")
    (folder / "manifests").symlink_to(ROOT / "manifests")
    for name in wish.namespaces:
        _write(folder / name, {"namespace": name, "resources": [f"../{manifests}/watched-namespace"]})
    settings = {"name": "trainingrun-operator-settings", "namespace": NAMESPACE, "behavior": "merge"}
    overlay = {
        "resources": [str(manifests / "base"), *wish.namespaces],
        "components": [str(manifests / "components" / name) for name in wish.components],
        "configMapGenerator": [{**settings, "literals": list(wish.settings)}] if wish.settings else [],
    }
    _write(folder, {**overlay, **wish.overlay})
    return of_kustomize(kubectl.run("kustomize", str(folder)))


def _write(folder: Path, kustomization: Mapping[str, Any]) -> None:
    folder.mkdir(exist_ok=True)
    kind = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
    (folder / "kustomization.yaml").write_text(yaml.safe_dump({**kind, **kustomization}))
