"""One run on one screen: pairs of what and how, in groups."""

from datetime import datetime

from trainingrun.api import TrainingRun
from trainingrun.views.stages import position, stages_to_show, state
from trainingrun.views.times import duration, since
from trainingrun.views.why import telling

Group = tuple[tuple[str, str], ...]


def details(run: TrainingRun, *, now: datetime) -> tuple[Group, ...]:
    """What the status says, for people; lines without a value are left out, and groups without lines, too."""
    groups = (_state(run, now=now), _progress(run), _gang(run), _history(run), _time(run))
    kept = (tuple((what, how) for what, how in group if how) for group in groups)
    return tuple(group for group in kept if group)


def _state(run: TrainingRun, *, now: datetime) -> Group:
    condition = telling(run)
    stages = stages_to_show(run)
    at = position(run, stages)
    marks = ("+" if index < at else ">" if index == at else "." for index in range(len(stages)))
    return (
        ("Run", f"{run.metadata.namespace}/{run.metadata.name}"),
        ("State", state(run)),
        ("Since", since(condition.last_transition_time, now=now) if condition is not None else ""),
        ("Says", condition.message if condition is not None else ""),
        ("Stages", "  ".join(f"{mark}{stage.value}" for mark, stage in zip(marks, stages, strict=True))),
    )


def _progress(run: TrainingRun) -> Group:
    progress, columns, result = run.status.progress, run.status.columns, run.status.result
    metrics = result.metrics if result is not None else progress.metrics if progress is not None else ()
    pace = f"{progress.samples_per_second} samples/s" if progress is not None and progress.samples_per_second else ""
    epoch = f"epoch {progress.epoch} of {progress.epochs}" if progress is not None and progress.epochs else ""
    percent = columns.progress if columns is not None else ""
    left = f"{columns.eta} left" if columns is not None and columns.eta else ""
    tuning = run.status.tuning
    return (
        ("Progress", ", ".join(part for part in (percent, epoch, pace, left) if part)),
        ("Metrics", "  ".join(f"{metric.name} {metric.value}" for metric in metrics)),
        ("Trials", f"{tuning.completed} completed, {tuning.pruned} ended early, {tuning.failed} failed" if tuning else ""),
        ("Best model", result.best.uri if result is not None and result.best is not None else ""),
    )


def _gang(run: TrainingRun) -> Group:
    resolved, columns = run.status.resolved, run.status.columns
    workers = columns.workers if columns is not None else ""
    kind = f" with {resolved.accelerators} {resolved.accelerator}" if resolved is not None and resolved.accelerator else ""
    return (
        ("Workers", f"{workers} ready{kind}" if workers else ""),
        ("Image", resolved.image if resolved is not None else ""),
        ("Preset", run.spec.preset or ""),
        ("Chosen", "  ".join(f"{choice.name}={choice.value}" for choice in run.status.choices)),
    )


def _history(run: TrainingRun) -> Group:
    lines = [
        (f"Attempt {past.attempt}", f"{past.outcome} {past.cause} after epoch {past.epoch}. {past.message}".replace("  ", " "))
        for past in run.status.history
    ]
    return tuple(lines)


def _time(run: TrainingRun) -> Group:
    ledger = run.status.ledger
    if ledger is None:
        return ()
    accounts = ("queued", "starting", "tuning", "training", "compressing", "evaluating", "lost", "suspended")
    spent = [(name, getattr(ledger, f"{name}_seconds")) for name in accounts]
    goodput = f"{ledger.goodput_percent}%" if ledger.goodput_percent is not None else ""
    return (("Time", "  ".join(f"{name} {duration(seconds)}" for name, seconds in spent if seconds)), ("Goodput", goodput))
