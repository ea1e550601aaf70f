"""What runs have left, as values: models with what was measured of them, and the smallest that is accepted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from tools import measurements
from tools.measurements import Row

DENSE = "dense"
"""The model of floats that every run leaves, to which the others are compared."""


@dataclass(frozen=True)
class Model:
    """A TFLite model as the trainer has measured it."""

    name: str
    accuracy: float
    size_bytes: int
    gzipped_bytes: int
    latency: float
    """Median of one sample on one thread, in milliseconds."""
    is_accepted: bool
    """Whether the run may ship it; models on the way to others are not judged, and not accepted."""

    @classmethod
    def parse(cls, model: Mapping[str, Any]) -> Self:
        """Read one of the models in `result.json`."""
        measured = model["measured"]
        return cls(
            name=model["name"],
            accuracy=measured["accuracy"],
            size_bytes=measured["size_bytes"],
            gzipped_bytes=measured["gzipped_bytes"],
            latency=measured["latency"]["median"],
            is_accepted=model["accepted"] is True,
        )


@dataclass(frozen=True)
class Run:
    """The models of one run, the dense one among them."""

    models: tuple[Model, ...]

    @property
    def dense(self) -> Model:
        """The model of floats, before it was made smaller."""
        return next(model for model in self.models if model.name == DENSE)

    @property
    def smallest_accepted(self) -> Model:
        """The result of the run; where no smaller model is accepted, the dense one is all there is."""
        accepted = [model for model in self.models if model.is_accepted]
        return min(accepted, key=lambda model: model.gzipped_bytes, default=self.dense)

    def times_smaller(self, model: Model) -> float:
        """How many times smaller than the dense one a model is, both after gzip."""
        return self.dense.gzipped_bytes / model.gzipped_bytes


def run_of(result: Mapping[str, Any]) -> Run:
    """The models that a `result.json` tells of."""
    return Run(tuple(Model.parse(model) for model in result["compression"]["models"]))


def rows(network: str, runs: Sequence[Run]) -> list[Row]:
    """Rows for each model of a network, over the runs of all seeds. Those that several runs of a seed make are the same."""
    found: dict[str, list[tuple[Run, Model]]] = {}
    for run in runs:
        for model in run.models:
            found.setdefault(model.name, []).append((run, model))
    return [row for name, seen in found.items() for row in _rows_of(f"{network}: {name}", seen)]


def smallest_accepted_row(network: str, runs: Sequence[Run]) -> Row:
    """How many times smaller the result of each of these runs is than its dense model."""
    ratios = [run.times_smaller(run.smallest_accepted) for run in runs]
    return measurements.row(f"{network}: smallest that is accepted", "times smaller after gzip", ratios)


def _rows_of(name: str, seen: Sequence[tuple[Run, Model]]) -> list[Row]:
    models = [model for _, model in seen]
    return [
        measurements.row(name, "accuracy", [model.accuracy for model in models], digits=4),
        measurements.row(name, "points lost", [100 * (run.dense.accuracy - model.accuracy) for run, model in seen], digits=1),
        measurements.row(name, "bytes", [model.size_bytes for model in models], digits=0),
        measurements.row(name, "bytes after gzip", [model.gzipped_bytes for model in models], digits=0),
        measurements.row(name, "times smaller after gzip", [run.times_smaller(model) for run, model in seen], digits=1),
        measurements.row(name, "ms per sample", [model.latency for model in models], digits=3),
    ]
