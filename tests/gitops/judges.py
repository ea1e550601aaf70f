"""Argo CD, kstatus and Flux as a function: `go/` runs their own code on objects and says what they make of them."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cluster.binaries import GoModule, ensure_extra
from images.cache import cache_folder
from tests.gitops.lives import Raw
from tests.patience import patience
from tools.argo import ARGO_CD

FLUX = ARGO_CD.parent / "flux"

MODULE = GoModule("verdicts", ("trainingrun.dev/tests/verdicts",), source=Path(__file__).parent / "go")


@dataclass(frozen=True)
class Judged:
    """What the tools make of one object."""

    health: str
    message: str
    actions: dict[str, Raw]
    """The actions that Argo CD offers, and the object after each."""
    disabled: tuple[str, ...]
    watched: Raw
    """The part of the object whose changes make Argo CD look at its application again."""
    kstatus: str
    flux: dict[str, str]
    """What Flux says, by the name of the example in `manifests/gitops/flux`."""


def build() -> Path:
    """The program; built first, which takes minutes, unless it has been."""
    return ensure_extra(MODULE, cache=cache_folder())["verdicts"]


@dataclass(frozen=True)
class Judges:
    """The tools with the shipped configuration."""

    program: Path

    def judge(self, objects: dict[str, Raw], **settings: str) -> dict[str, Judged]:
        """What they make of each object; `settings` are added to those of Argo CD."""
        asked = {"argoSettings": argo_settings() | settings, "fluxGates": flux_gates(), "objects": objects}
        answered = self._ask(asked)
        return {name: _judged(verdict) for name, verdict in answered["objects"].items()}

    def is_out_of_sync(self, *, git: Raw, live: Raw, settings: dict[str, str]) -> bool:
        """Whether an Argo CD with these settings would sync the object again."""
        answered = self._ask({"argoSettings": settings, "pairs": {"pair": {"git": git, "live": live}}})
        return bool(answered["outOfSync"]["pair"])

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        done = subprocess.run(
            [self.program], input=json.dumps(request), capture_output=True, text=True, timeout=patience(120), check=False
        )
        assert done.returncode == 0, done.stderr
        answered: dict[str, Any] = json.loads(done.stdout)
        return answered


def argo_settings() -> dict[str, str]:
    """The settings that users apply."""
    settings: dict[str, str] = yaml.safe_load((ARGO_CD / "argocd-cm.yaml").read_text())["data"]
    return settings


def flux_gates() -> dict[str, dict[str, str]]:
    """The expressions of the examples that users copy."""
    kustomizations = {path.stem: yaml.safe_load(path.read_text()) for path in FLUX.glob("*.yaml")}
    return {name: found["spec"]["healthCheckExprs"][0] for name, found in kustomizations.items()}


def _judged(verdict: dict[str, Any]) -> Judged:
    argo = verdict["argo"]
    return Judged(
        health=argo["health"],
        message=argo["message"],
        actions=argo["actions"],
        disabled=tuple(argo["disabled"]),
        watched=argo["watched"],
        kstatus=verdict["kstatus"],
        flux=verdict["flux"],
    )
