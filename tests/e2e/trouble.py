"""An everyday trouble: what a run asks for, what is in its way, what the status says, and what helps."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.conftest import Playground
from trainingrun.api import TrainingRun

Manifest = dict[str, Any]
Help = Callable[[Playground], object]


@dataclass(frozen=True)
class Trouble:
    """A row of a table of troubles."""

    reason: str
    words: tuple[str, ...]
    mend: Help
    before: tuple[Manifest, ...] = ()
    run: dict[str, Any] = field(default_factory=dict)
    workers: dict[str, Any] = field(default_factory=dict)


def applies(*manifests: Manifest) -> Help:
    """The way out is that these objects are there."""
    return lambda playground: playground.kubectl.apply(*manifests)


def deletes(kind: str, name: str) -> Help:
    """The way out is that this object is gone."""
    return lambda playground: playground.kubectl.delete(kind, name)


def said(run: TrainingRun) -> tuple[str, str]:
    """Reason and message of the run's readiness."""
    ready = run.status.condition("Ready")
    return (ready.reason, ready.message) if ready is not None else ("", "")
