"""The MPI operator as a pod of the cluster."""

from pathlib import Path

import cluster
from cluster.binaries import GoModule
from tools.go_operator import GoOperator
from tools.kubectl import Kubectl

NAMESPACE = "mpi-operator"

_PATH = "github.com/kubeflow/mpi-operator"
_MPI_OPERATOR = GoOperator(
    module=GoModule("mpi-operator", (f"{_PATH}/cmd/mpi-operator",), source=Path(__file__).parent / "go"),
    path=_PATH,
    manifests="manifests/overlays/standalone",
    placeholder="mpioperator/mpi-operator",
)


def install(backend: cluster.Cluster, admin: Kubectl) -> None:
    """Build it, load it, and wait until it runs."""
    _MPI_OPERATOR.load(backend)
    # Its CRD is too long for a client-side apply.
    manifests = _MPI_OPERATOR.render(admin)
    admin.run("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=manifests, timeout=120)
    admin.within(NAMESPACE).run("rollout", "status", "deployment/mpi-operator", "--timeout=120s", timeout=130)
