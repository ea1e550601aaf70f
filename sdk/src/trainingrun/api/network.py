"""`spec.workers.network`: what worker pods may reach besides each other."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from trainingrun.api.base import Frozen


class Egress(StrEnum):
    """How far connections from workers may go."""

    ANY = "Any"
    CLUSTER = "Cluster"
    NONE = "None"


class MetadataServer(StrEnum):
    """Whether workers may ask the cloud's metadata server."""

    DENY = "Deny"
    ALLOW = "Allow"


class Network(Frozen):
    """Connections that the run's NetworkPolicy allows, where the cluster's network plugin enforces policies."""

    egress: Annotated[
        Egress | None,
        Field(
            description="What workers may connect to besides each other: Any; Cluster, only pods of this cluster, and name "
            "servers; or None, not even name servers. Default: Any."
        ),
    ] = None
    metadata_server: Annotated[
        MetadataServer | None,
        Field(
            description="Deny or Allow the cloud's metadata server, which hands out the identity of the node. Allow it where "
            "workers get an identity of their own from there (GKE Workload Identity, EKS Pod Identity). Default: Deny."
        ),
    ] = None
