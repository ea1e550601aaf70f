"""Where the time went, and how long accelerators were held for it."""

from collections.abc import Sequence

from trainingrun_trainer.report.charts.bars import Bar, bars
from trainingrun_trainer.report.values import StageTime
from trainingrun_trainer.report.views.drawing import Drawing
from trainingrun_trainer.report.words import counted, duration

_MOST_TIMES = 30


def times_sentence(times: Sequence[StageTime], *, accelerators: int) -> str:
    """All stages together; accelerator-seconds only where there are accelerators."""
    seconds = sum(time.seconds for time in times)
    if not accelerators:
        return f"{duration(seconds)} in all."
    return f"{duration(seconds)} in all, {_held(seconds, accelerators)} on {counted(accelerators, 'accelerator')}."


def times_drawing(times: Sequence[StageTime], *, accelerators: int) -> Drawing | None:
    """A bar for each stage."""
    rows = [Bar(time.name, time.seconds, _text(time.seconds, accelerators)) for time in times[:_MOST_TIMES]]
    return Drawing("", bars(rows, label="Time of each stage")) if rows else None


def _text(seconds: float, accelerators: int) -> str:
    return f"{duration(seconds)}, {_held(seconds, accelerators)}" if accelerators else duration(seconds)


def _held(seconds: float, accelerators: int) -> str:
    return counted(round(seconds * accelerators), "accelerator-second")
