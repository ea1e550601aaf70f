"""What `kubectl get trun` shows, as text: numbers alone cannot say 42% or 3m20s."""

from trainingrun.api import Columns, MetricValue, Progress, TrainingRunStatus
from trainingrun_operator.life import Life
from trainingrun_operator.status.workers import ready_workers, wanted_workers
from trainingrun_operator.step import State, Step

_MANY = 1e6
"""Numbers from here on are shown with an exponent."""
_TELLING = ("test_accuracy", "val_accuracy", "accuracy", "val_loss", "loss")


def columns(life: Life, step: Step, status: TrainingRunStatus) -> Columns:
    """The columns of a run in this state."""
    progress = status.progress
    metrics = status.result.metrics if status.result is not None else progress.metrics if progress is not None else ()
    return Columns(
        status=step.state.value,
        progress=f"{progress.percent}%" if progress is not None else "",
        eta=_eta(progress) if step.state is State.RUNNING else "",
        metric=_metric(metrics or _best_trial(life, status)),
        workers=f"{ready_workers(life)}/{wanted_workers(life)}",
    )


def duration(seconds: int) -> str:
    """Seconds as `45s`, `3m20s`, `2h5m` or `3d4h`; what takes years is `>999d`."""
    if seconds < 60:
        return f"{seconds}s"
    if seconds < 3600:
        return f"{seconds // 60}m{seconds % 60}s"
    if seconds < 86400:
        return f"{seconds // 3600}h{seconds % 3600 // 60}m"
    if seconds >= 1000 * 86400:
        return ">999d"
    return f"{seconds // 86400}d{seconds % 86400 // 3600}h"


def _eta(progress: Progress | None) -> str:
    return duration(progress.eta_seconds) if progress is not None and progress.eta_seconds is not None else ""


def _best_trial(life: Life, status: TrainingRunStatus) -> tuple[MetricValue, ...]:
    """What the best trial so far has reached."""
    search, found = life.run.spec.tuning, status.tuning
    if search is None or found is None or found.best is None:
        return ()
    return (MetricValue(name=search.objective.metric, value=found.best.value),)


def _metric(metrics: tuple[MetricValue, ...]) -> str:
    known = {metric.name: metric.value for metric in metrics}
    name = next((name for name in _TELLING if name in known), None)
    if name is None:
        return ""
    value = float(known[name])
    return f"{name}={value:.3f}" if abs(value) < _MANY else f"{name}={value:.3e}"
