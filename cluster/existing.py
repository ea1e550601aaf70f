"""A cluster that somebody else runs: the current context of the user's kubeconfig."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from cluster.errors import ClusterError
from cluster.shell import run


@dataclass(frozen=True)
class ExistingCluster:
    """See `cluster.backend.Cluster` for what the methods promise; this cluster is neither started nor stopped."""

    name: str = "existing"

    def up(self) -> None:
        """Check that the API server answers."""
        run([self.kubectl(), "--kubeconfig", self.kubeconfig(), "get", "--raw=/readyz"], timeout=20)

    def down(self) -> None:
        """Nothing: the cluster is not ours."""

    def status(self) -> list[tuple[str, str]]:
        """Whether the API server answers."""
        try:
            self.up()
        except ClusterError as problem:
            return [("cluster", str(problem))]
        return [("cluster", "answers")]

    def load(self, archive: Path) -> None:
        """An existing cluster pulls from a registry."""
        raise ClusterError(
            f"{archive.name} cannot be loaded into an existing cluster: push the images to a registry that the cluster "
            "reaches, `make images push REGISTRY=... TAG=...`, and give the same REGISTRY and TAG to `make demo`."
        )

    def kubeconfig(self) -> Path:
        """The user's kubeconfig."""
        return Path(os.environ.get("KUBECONFIG") or Path.home() / ".kube" / "config")

    def kubectl(self) -> str:
        """The user's kubectl."""
        if shutil.which("kubectl") is None:
            raise ClusterError("CLUSTER=existing needs kubectl, not found on PATH: install it.")
        return "kubectl"

    def logs(self, component: str) -> Path:
        """Not ours to read."""
        raise ClusterError(f"The log of {component} of an existing cluster is where its administrator keeps it.")

    def volume(self, *, claim: str, namespace: str, size: str = "10Gi") -> None:
        """Nothing to do: the cluster's default storage class makes volumes for claims."""
