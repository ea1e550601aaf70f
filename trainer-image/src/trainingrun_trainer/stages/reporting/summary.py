"""What stands at the top of the report: the final metrics, the best-known first, and what was trained on what."""

from collections.abc import Iterator

from trainingrun_trainer.report.values import Pair
from trainingrun_trainer.stages.reporting.finished import Finished

_PARTS = {"": "Training", "val_": "Validation", "test_": "Test"}


def metrics(finished: Finished) -> Iterator[tuple[str, float]]:
    """Names that people use, and values: what was judged comes first."""
    return ((_title(name), value) for name, value in sorted(finished.metrics.items(), key=_judged_first))


def facts(finished: Finished) -> Iterator[Pair]:
    """The data, the ranks and the epochs."""
    counts = ", ".join(f"{count:,} {name}" for name, count in finished.samples.items() if count)
    yield "Data", f"{sum(finished.samples.values()):,} samples of {finished.classes:,} classes: {counts}"
    if finished.left_out:
        yield "Left out", "; ".join(f"{each.count:,} {each.kind}" for each in finished.left_out)
    workers, each = finished.config.replicas, finished.config.processes_per_worker
    yield "Ranks", f"{workers * each}: {workers} worker{'s' if workers > 1 else ''} of {each}"
    yield "Epochs", f"{finished.state.epoch:,}"


def _title(metric: str) -> str:
    """`val_loss` as `Validation loss`."""
    part, _, name = metric.rpartition("_")
    return f"{_PARTS.get(f'{part}_' if part else '', part)} {name}"


def _judged_first(metric: tuple[str, float]) -> tuple[int, str]:
    return (0 if metric[0].startswith("test_") else 1 if metric[0].startswith("val_") else 2, metric[0])
