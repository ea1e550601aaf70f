"""What differs between runs, and what came of it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trainingrun.api import TrainingRun
from trainingrun.api.base import to_wire
from trainingrun.views.stages import state
from trainingrun.views.tables import Table, size
from trainingrun.views.times import duration

_LEFT_OUT = ("suspend", "rerun")
"""What is no property of what was trained."""


def compare(runs: Sequence[TrainingRun]) -> tuple[Table, Table]:
    """The fields of the specs that are not the same in all runs, and the results; a column for each run."""
    header = ("", *(run.metadata.name for run in runs))
    flat = [dict(_fields(to_wire(run.spec))) for run in runs]
    names = sorted({name for each in flat for name in each if name.split(".")[0] not in _LEFT_OUT})
    rows = [(name, *(_text(each.get(name)) for each in flat)) for name in names]
    differing = tuple(row for row in rows if len(set(row[1:])) > 1)
    return Table(header, differing), Table(header, _results(runs))


def _fields(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf with its path; entries of lists go by their names, where they have any."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from _fields(each, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            key = each.get("name", index) if isinstance(each, Mapping) else index
            yield from _fields(each, f"{path}[{key}]")
    else:
        yield path, value


def _results(runs: Sequence[TrainingRun]) -> tuple[tuple[str, ...], ...]:
    rows = [("status", *(state(run) for run in runs))]
    metrics = [{metric.name: metric.value for metric in _metrics(run)} for run in runs]
    rows += [
        (name, *(each.get(name, "") for each in metrics)) for name in dict.fromkeys(name for each in metrics for name in each)
    ]
    rows.append(("smallest accepted model", *(_best(run) for run in runs)))
    rows.append(("training", *(_seconds(run, "training_seconds") for run in runs)))
    rows.append(("lost", *(_seconds(run, "lost_seconds") for run in runs)))
    rows.append(("accelerators held", *(_seconds(run, "accelerator_seconds") for run in runs)))
    return tuple(row for row in rows if any(row[1:]))


def _metrics(run: TrainingRun) -> tuple[Any, ...]:
    status = run.status
    if status.result is not None:
        return status.result.metrics
    return status.progress.metrics if status.progress is not None else ()


def _best(run: TrainingRun) -> str:
    best = run.status.result.best if run.status.result is not None else None
    return f"{best.name} ({size(best.gzipped_bytes or best.size_bytes)})" if best is not None else ""


def _seconds(run: TrainingRun, account: str) -> str:
    spent = getattr(run.status.ledger, account, 0) if run.status.ledger is not None else 0
    return duration(spent) if spent else ""


def _text(value: Any) -> str:
    return "-" if value is None or value == "" else str(value)
