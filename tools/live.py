"""Follow a TrainingRun on a terminal: one bar per stage, or a line per change where there is no terminal."""

import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from trainingrun.api import TrainingRun
from trainingrun.contract import Stage
from trainingrun.stages import stages_of


def stages_to_show(run: TrainingRun) -> tuple[Stage, ...]:
    """The stages that the run goes through, in their order; what is measured for Auto still counts as starting."""
    return (Stage.STARTING, *(stage for stage in stages_of(run.spec) if stage is not Stage.CHOOSING))


def follow(fetch: Callable[[], TrainingRun], *, console: Console, timeout: float) -> TrainingRun:
    """Show the run until it has finished, and return it as it ended.

    Raises TimeoutError when it has not finished after `timeout` seconds.
    """
    show = _Bars(console) if console.is_terminal else _Lines(console)
    with show:
        for run in _snapshots(fetch, timeout=timeout):
            show.update(run)
            if run.status.is_finished:
                return run
    raise TimeoutError(f"the run had not finished after {timeout:.0f} s")


def _snapshots(fetch: Callable[[], TrainingRun], *, timeout: float) -> Iterator[TrainingRun]:
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        yield fetch()
        time.sleep(1)


class _Lines:
    """A line for each change of what `kubectl get trun` would show."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last = ""
        self._start = time.monotonic()

    def __enter__(self) -> "_Lines":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def update(self, run: TrainingRun) -> None:
        line = _summary(run)
        if line != self._last:
            self._console.print(f"{time.monotonic() - self._start:6.0f} s  {line}", highlight=False)
            self._last = line


class _Bars:
    """A bar for each stage; the current one moves."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<11}"),
            BarColumn(),
            TextColumn("{task.percentage:>4.0f}%"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
            console=console,
        )
        self._bars: dict[Stage, TaskID] = {}

    def __enter__(self) -> "_Bars":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def update(self, run: TrainingRun) -> None:
        stages = stages_to_show(run)
        if not self._bars:
            self._bars = {stage: self._progress.add_task(stage.value, total=100, start=False, note="") for stage in stages}
        current = _position(run, stages)
        for position, stage in enumerate(stages):
            bar = self._bars[stage]
            if position < current:
                self._progress.update(bar, completed=100)
                self._progress.stop_task(bar)
            elif position == current:
                self._progress.start_task(bar)
                self._progress.update(bar, completed=_percent(run), note=_summary(run))


def _position(run: TrainingRun, stages: tuple[Stage, ...]) -> int:
    """Index of the run's stage among its stages; past the end when it has finished."""
    if run.status.is_finished:
        return len(stages)
    return next((index for index, stage in enumerate(stages) if stage.value == run.status.stage), 0)


def _percent(run: TrainingRun) -> int:
    """Done part of the stage. An operator of before 2026-12 says that in `percent`."""
    progress = run.status.progress
    if progress is None or progress.stage != run.status.stage:
        return 0
    return progress.stage_percent if progress.stage_percent is not None else progress.percent


def _summary(run: TrainingRun) -> str:
    """The columns of `kubectl get trun` in one line."""
    columns = run.status.columns
    if columns is None:
        return "waiting for the operator"
    parts = [columns.status, run.status.stage, columns.progress, columns.metric]
    parts += [f"{columns.workers} workers"] if columns.workers else []
    parts += [f"{columns.eta} left"] if columns.eta else []
    return "  ".join(part for part in parts if part)
