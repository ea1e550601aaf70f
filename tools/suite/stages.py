"""What the suite consists of, as values."""

from dataclasses import dataclass
from enum import StrEnum


class Lane(StrEnum):
    """Stages of one lane run one after the other, those of different lanes at the same time."""

    BUILDS = "builds"
    """Waits for compilers, disks and package registries."""
    PROCESSORS = "processors"
    """Keeps the processors busy, and does without the test cluster."""
    CLUSTER = "cluster"
    """Mostly waits for the one test cluster. What waits most comes first, while the other lane still has most of its work."""


@dataclass(frozen=True)
class Stage:
    """One part of the suite; its name is also that of its target in the Makefile."""

    name: str
    lane: Lane
    needs: tuple[str, ...] = ()
    """Stages of other lanes that must have passed."""


PREPARE = Stage("prepare", Lane.BUILDS)
STAGES = (
    PREPARE,
    Stage("lint", Lane.PROCESSORS),
    Stage("verify", Lane.PROCESSORS),
    Stage("unit", Lane.PROCESSORS),
    Stage("browser", Lane.PROCESSORS),
    Stage("simulation", Lane.PROCESSORS),
    Stage("unit-trainer", Lane.PROCESSORS, needs=("prepare",)),
    Stage("gitops", Lane.PROCESSORS, needs=("prepare",)),
    Stage("watching", Lane.PROCESSORS, needs=("prepare",)),
    Stage("cluster-test", Lane.PROCESSORS, needs=("prepare",)),
    Stage("e2e", Lane.CLUSTER, needs=("prepare",)),
    Stage("schema", Lane.CLUSTER),
    Stage("faults", Lane.CLUSTER),
)
