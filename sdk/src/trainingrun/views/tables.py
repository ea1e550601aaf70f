"""Runs and presets as tables: a header and rows of text."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from trainingrun.api import Artifact, TrainingPreset, TrainingRun
from trainingrun.views.stages import state
from trainingrun.views.times import duration, since


@dataclass(frozen=True)
class Table:
    """Text in columns."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def runs(found: Iterable[TrainingRun], *, now: datetime, with_namespace: bool = False) -> Table:
    """One row for each run, the newest last, as `kubectl get trun` has them, and how long each took."""
    ordered = sorted(found, key=lambda run: (run.metadata.namespace, run.metadata.creation_timestamp or now, run.metadata.name))
    header = ("NAME", "STATUS", "STAGE", "PROGRESS", "ETA", "METRIC", "WORKERS", "TIME", "AGE")
    rows = tuple(_row(run, now=now) for run in ordered)
    if not with_namespace:
        return Table(header, rows)
    return Table(("NAMESPACE", *header), tuple((run.metadata.namespace, *row) for run, row in zip(ordered, rows, strict=True)))


def _row(run: TrainingRun, *, now: datetime) -> tuple[str, ...]:
    columns, status = run.status.columns, run.status
    took = duration(((status.completion_time or now) - status.start_time).total_seconds()) if status.start_time else ""
    age = since(run.metadata.creation_timestamp, now=now)
    if columns is None:
        return (run.metadata.name, state(run), "", "", "", "", "", "", age)
    shown = (columns.progress, columns.eta, columns.metric, columns.workers)
    return (run.metadata.name, state(run), status.stage, *shown, took, age)


def presets(found: Iterable[TrainingPreset]) -> Table:
    """One row for each preset: what it gives, what it allows."""
    rows = []
    for preset in sorted(found, key=lambda each: each.metadata.name):
        spec, limits = preset.spec, preset.spec.limits
        accelerator = spec.defaults.workers.accelerator
        device = "" if accelerator is None else f"{accelerator.gpu.count} GPU" if accelerator.gpu is not None else "TPU"
        allowed = ", ".join(each.value for each in spec.allowed_overrides)
        rows.append((preset.metadata.name, device, f"{limits.most_workers or ''}", allowed, spec.description))
    return Table(("NAME", "DEVICES", "MOST WORKERS", "MAY OVERRIDE", "DESCRIPTION"), tuple(rows))


def artifacts(found: Sequence[Artifact]) -> Table:
    """One row for each artifact."""
    rows = []
    for each in found:
        accuracy = "".join(metric.value for metric in each.metrics if metric.name == "accuracy")
        verdict = {None: "", True: "yes", False: "no"}[each.accepted]
        rows.append((each.name, size(each.size_bytes), size(each.gzipped_bytes), accuracy, verdict, each.uri))
    return Table(("NAME", "SIZE", "GZIP", "ACCURACY", "ACCEPTED", "URI"), tuple(rows))


def size(count: int | None) -> str:
    """Bytes as `812 B`, `15 kB` or `7.2 MB`; empty when unknown."""
    if count is None:
        return ""
    for unit, factor in (("GB", 1e9), ("MB", 1e6)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count / 1e3:.0f} kB" if count >= 1000 else f"{count} B"
