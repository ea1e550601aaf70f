"""A node of the cluster, as far as it matters for whether a worker can ever run there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from trainingrun.api import TaintEffect


@dataclass(frozen=True)
class Taint:
    """What keeps pods away that do not tolerate it."""

    key: str
    effect: str
    value: str = ""

    def __str__(self) -> str:
        return f"{self.key}={self.value}:{self.effect}" if self.value else f"{self.key}:{self.effect}"

    @property
    def keeps_away(self) -> bool:
        """Whether it does so for good; Kubernetes' own taints of nodes that are not ready or drained come and go."""
        return self.effect != TaintEffect.PREFER_NO_SCHEDULE and not self.key.startswith("node.kubernetes.io/")


@dataclass(frozen=True)
class Node:
    """What an empty node offers."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    allocatable: Mapping[str, Decimal] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    is_cordoned: bool = False
    """Somebody lets no new pods on it, as before maintenance."""

    def has(self, resource: str) -> Decimal:
        """How much of a resource its pods may use."""
        return self.allocatable.get(resource, Decimal(0))

    def number(self, label: str) -> int | None:
        """The value of a label that is a whole number; None without one."""
        value = self.labels.get(label, "")
        return int(value) if value.isascii() and value.isdigit() else None
