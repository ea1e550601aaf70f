"""The parts of a pod that an accelerator decides about."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from trainingrun_operator.model import Manifest


@dataclass(frozen=True)
class Equipment:
    """What a worker pod needs for its accelerator; empty for a worker without one."""

    resources: Mapping[str, int] = field(default_factory=dict)
    """Extended resources: requests are the same as limits."""
    node_labels: Mapping[str, str] = field(default_factory=dict)
    """Labels that the node must have."""
    node_terms: tuple[Manifest, ...] = ()
    """Node selector terms, of which the node must match one."""
    tolerations: tuple[Manifest, ...] = ()
    environment: tuple[Manifest, ...] = ()
    shared_memory: str | None = None
    """Size of /dev/shm where the user gives none."""
    subdomain: str | None = None
    """Name of the Service through which the workers have host names."""


def tolerates(key: str) -> Manifest:
    """The toleration of a taint that keeps all others away from nodes with accelerators."""
    return {"key": key, "operator": "Exists", "effect": "NoSchedule"}
