"""Helm itself, built from its Go module, as a value."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cluster.binaries import GoModule, ensure_extra
from images.cache import cache_folder
from tests.patience import patience

MODULE = GoModule("helm", ("helm.sh/helm/v4/cmd/helm",), source=Path(__file__).parent / "go")
CHART = Path(__file__).parent.parent.parent / "charts" / "trainingrun"


class HelmError(Exception):
    """Helm refused or failed; the text is what it printed."""


@dataclass(frozen=True)
class Helm:
    """Runs helm, which keeps what it remembers below `home`, against one cluster or none."""

    program: Path
    home: Path
    kubeconfig: Path | None = None

    def run(self, *arguments: str, values: Mapping[str, Any] | None = None, timeout: float = 60) -> str:
        """Run helm, with `values` as `--values`, and return what it printed. Raises HelmError with its own words."""
        given = [] if values is None else ["--values", "-"]
        # Nothing of the user's own Helm, and no cluster by accident.
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "KUBECONFIG": str(self.kubeconfig or self.home / "no-kubeconfig"),
        }
        done = subprocess.run(
            [self.program, *arguments, *given],
            input=None if values is None else yaml.safe_dump(dict(values)),
            env=environment,
            capture_output=True,
            text=True,
            timeout=patience(timeout),
            check=False,
        )
        if done.returncode != 0:
            raise HelmError(done.stderr.strip() or done.stdout.strip())
        return done.stdout


def build() -> Path:
    """The program; built first, which takes minutes, unless it has been."""
    return ensure_extra(MODULE, cache=cache_folder())["helm"]
