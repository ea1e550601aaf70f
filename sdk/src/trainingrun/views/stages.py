"""The stages that a run goes through, how far it is, and the line that says so."""

from trainingrun.api import TrainingRun
from trainingrun.contract import Stage
from trainingrun.stages import stages_of


def stages_to_show(run: TrainingRun) -> tuple[Stage, ...]:
    """The stages that the run goes through, in their order; what is measured for Auto still counts as starting."""
    return (Stage.STARTING, *(stage for stage in stages_of(run.spec) if stage is not Stage.CHOOSING))


def position(run: TrainingRun, stages: tuple[Stage, ...]) -> int:
    """Index of the run's stage among its stages; past the end when it has finished."""
    if run.status.is_finished:
        return len(stages)
    return next((index for index, stage in enumerate(stages) if stage.value == run.status.stage), 0)


def percent(run: TrainingRun) -> int:
    """Done part of the stage. An operator of before 2026-12 says that in `percent`."""
    progress = run.status.progress
    if progress is None or progress.stage != run.status.stage:
        return 0
    return progress.stage_percent if progress.stage_percent is not None else progress.percent


def state(run: TrainingRun) -> str:
    """State of the run in one word, as `kubectl get trun` shows it."""
    columns = run.status.columns
    return columns.status if columns is not None and columns.status else "New"


def summary(run: TrainingRun) -> str:
    """The columns of `kubectl get trun` in one line."""
    columns = run.status.columns
    if columns is None:
        return "waiting for the operator"
    parts = [columns.status, run.status.stage, columns.progress, columns.metric]
    parts += [f"{columns.workers} workers"] if columns.workers else []
    parts += [f"{columns.eta} left"] if columns.eta else []
    return "  ".join(part for part in parts if part)
