"""A Kubernetes cluster for development, tests and the demo, in one call. Standard library only.

cluster = connect()          # CLUSTER=embedded, kind or existing; CLUSTER_NAME=trainingrun; CLUSTER_IP_FAMILY=ipv4
cluster.up()
print(cluster.kubeconfig())
"""

import os

from cluster.backend import Cluster
from cluster.embedded import EmbeddedCluster
from cluster.errors import ClusterError
from cluster.existing import ExistingCluster
from cluster.families import parse
from cluster.kind import KindCluster
from images.cache import cache_folder

__all__ = ["Cluster", "ClusterError", "connect"]


def connect(*, kind: str | None = None, name: str | None = None) -> Cluster:
    """The cluster of this kind and name; without them, of the environment's CLUSTER and CLUSTER_NAME.

    CLUSTER_IP_FAMILY is about the embedded cluster. Raises ClusterError when there is no such kind, or no such family.
    """
    kind = kind or os.environ.get("CLUSTER") or "embedded"
    name = name or os.environ.get("CLUSTER_NAME") or "trainingrun"
    family = os.environ.get("CLUSTER_IP_FAMILY")
    if kind == "embedded":
        return EmbeddedCluster(name=name, cache=cache_folder(), family=parse(family) if family else None)
    if family:
        raise ClusterError(f"CLUSTER_IP_FAMILY={family} is for CLUSTER=embedded; {kind} has the addresses it was made with.")
    if kind == "kind":
        return KindCluster(name=name, cache=cache_folder())
    if kind == "existing":
        return ExistingCluster()
    raise ClusterError(f"There is no kind of cluster {kind!r}: CLUSTER is embedded, kind or existing.")
