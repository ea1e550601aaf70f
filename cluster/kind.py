"""A cluster made by kind, where Docker runs."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from cluster.errors import ClusterError
from cluster.shell import run


@dataclass(frozen=True)
class KindCluster:
    """See `cluster.backend.Cluster` for what the methods promise."""

    name: str
    cache: Path

    def up(self) -> None:
        """Create the cluster unless it exists."""
        _require("kind", "docker")
        if self.name not in run(["kind", "get", "clusters"], check=False).split():
            self.kubeconfig().parent.mkdir(parents=True, exist_ok=True)
            command: list[str | Path] = [
                "kind",
                "create",
                "cluster",
                "--name",
                self.name,
                "--kubeconfig",
                self.kubeconfig(),
            ]
            run([*command, "--wait", "120s"], timeout=600)

    def down(self) -> None:
        """Delete the cluster."""
        _require("kind", "docker")
        run(["kind", "delete", "cluster", "--name", self.name], timeout=120)
        self.kubeconfig().unlink(missing_ok=True)

    def status(self) -> list[tuple[str, str]]:
        """Whether it exists."""
        _require("kind", "docker")
        known = self.name in run(["kind", "get", "clusters"], check=False).split()
        return [("cluster", "up" if known else "down: `make cluster-up` makes it")]

    def load(self, archive: Path) -> None:
        """Load the archive into kind's nodes."""
        run(["kind", "load", "image-archive", archive, "--name", self.name], timeout=600)

    def kubeconfig(self) -> Path:
        """A kubeconfig of its own: the user's is left alone."""
        return self.cache / "clusters" / f"{self.name}.kind.kubeconfig"

    def kubectl(self) -> str:
        """The user's kubectl."""
        _require("kubectl")
        return "kubectl"

    def logs(self, component: str) -> Path:
        """kind keeps the logs inside its nodes."""
        raise ClusterError(f"kind keeps the log of {component} inside its nodes: `kind export logs --name {self.name}`.")

    def volume(self, *, claim: str, namespace: str, size: str = "10Gi") -> None:
        """Nothing to do: kind's default storage class makes volumes for claims."""


def _require(*programs: str) -> None:
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        raise ClusterError(
            f"CLUSTER=kind needs {' and '.join(missing)}, not found on PATH: install it, or leave CLUSTER out to use "
            "the embedded cluster."
        )
