"""Follow a run on a terminal: one bar per stage, or a line per change where there is no terminal."""

import time
from collections.abc import Iterable

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from trainingrun.api import TrainingRun
from trainingrun.contract import Stage
from trainingrun.views.stages import percent, position, stages_to_show, state, summary
from trainingrun.views.why import telling


def follow(states: Iterable[TrainingRun], *, console: Console) -> TrainingRun | None:
    """Show a run as it changes, and return it as it was last; None when there was no state."""
    last = None
    with _Bars(console) if console.is_terminal else _Lines(console) as show:
        for last in states:
            show.update(last)
    return last


class _Lines:
    """A line for each change of what `kubectl get trun` would show, and for each reason to wait."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last = ""
        self._start = time.monotonic()

    def __enter__(self) -> "_Lines":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def update(self, run: TrainingRun) -> None:
        line = _told(run)
        if line != self._last:
            self._console.print(f"{time.monotonic() - self._start:6.0f} s  {line}", highlight=False, markup=False)
            self._last = line


class _Bars:
    """A bar for each stage; the current one moves."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<11}"),
            BarColumn(),
            TextColumn("{task.percentage:>4.0f}%"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}", markup=False),
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
        if tuple(self._bars) != stages:
            for bar in self._bars.values():
                self._progress.remove_task(bar)
            self._bars = {stage: self._progress.add_task(stage.value, total=100, start=False, note="") for stage in stages}
        current = position(run, stages)
        for index, stage in enumerate(stages):
            bar = self._bars[stage]
            if index < current:
                self._progress.update(bar, completed=100, note="")
                self._progress.stop_task(bar)
            elif index == current:
                self._progress.start_task(bar)
                self._progress.update(bar, completed=percent(run), note=_told(run))


def _told(run: TrainingRun) -> str:
    """The columns; of a run that waits for something, also for what."""
    condition = telling(run)
    if state(run) in ("Waiting", "Stalled", "Queued", "Restarting") and condition is not None:
        return f"{summary(run)}  {condition.message}"
    return summary(run)
