"""What every kind of cluster can do."""

from pathlib import Path
from typing import Protocol


class Cluster(Protocol):
    """A Kubernetes cluster to develop and test with."""

    @property
    def name(self) -> str:
        """Name of the cluster."""

    def up(self) -> None:
        """Start it, or complete and repair what runs of it; cheap when it is healthy."""

    def down(self) -> None:
        """Stop it and remove everything that it left on the machine."""

    def status(self) -> list[tuple[str, str]]:
        """Each component and its state."""

    def load(self, archive: Path) -> None:
        """Make the image of a Docker archive known to the nodes, under the name that it has in the archive."""

    def kubeconfig(self) -> Path:
        """Path of an administrator's kubeconfig."""

    def kubectl(self) -> str:
        """A kubectl that fits the cluster."""

    def logs(self, component: str) -> Path:
        """Path of the log file of a component."""

    def volume(self, *, claim: str, namespace: str, size: str = "10Gi") -> None:
        """See to it that a claim of this name, when it is made, gets a volume."""
