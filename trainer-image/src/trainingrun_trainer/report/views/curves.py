"""Learning curves: a chart for each metric, through all stages, with borders between them."""

import math
from collections.abc import Iterator, Sequence

from trainingrun_trainer.report.charts.plot import Axis, Plot, Point
from trainingrun_trainer.report.charts.scale import Scale, close_fit, linear, logarithmic
from trainingrun_trainer.report.thinning import spread, thinned
from trainingrun_trainer.report.values import StageCurve
from trainingrun_trainer.report.views.drawing import Drawing, Entry
from trainingrun_trainer.report.words import counted, figure

_MOST_POINTS, _MOST_SPOTS, _MOST_CHARTS = 400, 60, 6
_VALIDATION = "val_"
_TITLES = {
    "loss": ("Loss", "cross-entropy, nats"),
    "accuracy": ("Accuracy", "fraction of samples that are right"),
    "learningRate": ("Learning rate", "per step, after scaling"),
    "samplesPerSecond": ("Throughput", "samples per second"),
    "seconds": ("Time of an epoch", "seconds"),
}


def curve_drawings(curves: Sequence[StageCurve]) -> list[Drawing]:
    """At most six charts, in the order in which the metrics appear. Long curves are thinned; every extreme stays."""
    stages = [stage for stage in curves if stage.epochs]
    names = dict.fromkeys(name.removeprefix(_VALIDATION) for stage in stages for epoch in stage.epochs for name in epoch)
    drawings = (_drawing(stages, name) for name in names if any(_points(stages, name) or _points(stages, _VALIDATION + name)))
    return [drawing for drawing, _ in zip(drawings, range(_MOST_CHARTS), strict=False)]


def curve_note(curves: Sequence[StageCurve]) -> str:
    """Which epochs belong to which stage, and whose weights are kept."""
    sentences = []
    for stage, first in _starts([stage for stage in curves if stage.epochs]):
        last = first + len(stage.epochs) - 1
        span = f"{first:,} to {last:,}" if last > first else f"{first:,}"
        kept = f", weights of epoch {first + stage.kept - 1} kept" if stage.kept else ""
        name = stage.name[:1].upper() + stage.name[1:]
        sentences.append(f"{name}: {counted(len(stage.epochs), 'epoch')} ({span}){kept}")
    return ". ".join(sentences) + "."


def _drawing(stages: Sequence[StageCurve], name: str) -> Drawing:
    series = [(each, _points(stages, each)) for each in (name, _VALIDATION + name)]
    values = [value for _, parts in series for part in parts for _, value in part]
    title, unit = _TITLES.get(name, (name, ""))
    total = sum(len(stage.epochs) for stage in stages)
    x = Axis("Epoch", close_fit(1, total), lambda value: f"{value:,.0f}")
    plot = Plot(x, Axis(unit or title, _scale(values)), label=f"{title} by epoch")
    _draw_borders(plot, stages)
    has_validation = bool(series[1][1])
    for number, (each, parts) in enumerate(series):
        kind = "validation" if each.startswith(_VALIDATION) else "training"
        for part in parts:
            if len(part) == 1:
                plot.mark(part[0], series=number, tooltip=_said(title, part[0], kind if has_validation else ""))
                continue
            plot.line(thinned(part, most=_MOST_POINTS), series=number)
            for point in spread(part, most=_MOST_SPOTS):
                plot.spot(point, tooltip=_said(title, point, kind if has_validation else ""))
    is_metric = has_validation or name in ("loss", "accuracy")
    if is_metric:
        _draw_kept(plot, stages, _VALIDATION + name if has_validation else name, series=int(has_validation), title=title)
    legend = [Entry.of(0, "training"), Entry.of(1, "validation")] if has_validation and series[0][1] else []
    if is_metric and any(stage.kept for stage in stages):
        legend.append(Entry.of(int(has_validation), "weights that are kept", has_line=False, has_mark=True))
    return Drawing(title, plot.markup(), tuple(legend))


def _said(title: str, point: Point, kind: str) -> str:
    return f"Epoch {point[0]:,.0f}, {f'{kind} ' if kind else ''}{title.lower()} {figure(point[1])}"


def _starts(stages: Sequence[StageCurve]) -> Iterator[tuple[StageCurve, int]]:
    """Each stage with the number of its first epoch, counted through."""
    first = 1
    for stage in stages:
        yield stage, first
        first += len(stage.epochs)


def _points(stages: Sequence[StageCurve], name: str) -> list[list[Point]]:
    """The parts of a curve without a gap; a stage is a part of its own."""
    parts: list[list[Point]] = []
    for stage, first in _starts(stages):
        part: list[Point] = []
        for index, epoch in enumerate(stage.epochs):
            value = epoch.get(name, math.nan)
            if math.isfinite(value):
                part.append((first + index, value))
            elif part:
                parts, part = [*parts, part], []
        parts = [*parts, part] if part else parts
    return parts


def _scale(values: Sequence[float]) -> Scale:
    """Logarithmic when the values differ by more than a hundred times."""
    return logarithmic(values) if min(values) > 0 and max(values) > 100 * min(values) else linear(values)


def _draw_borders(plot: Plot, stages: Sequence[StageCurve]) -> None:
    if len(stages) < 2:
        return
    total = sum(len(stage.epochs) for stage in stages)
    for stage, first in _starts(stages):
        start, end = max(1.0, first - 0.5), min(float(total), first + len(stage.epochs) - 0.5)
        plot.span_name(start, end, stage.name)
        if first > 1:
            plot.border(start, tooltip=f"{stage.name} begins with epoch {first:,}")


def _draw_kept(plot: Plot, stages: Sequence[StageCurve], name: str, *, series: int, title: str) -> None:
    for stage, first in _starts(stages):
        value = stage.epochs[stage.kept - 1].get(name, math.nan) if stage.kept else math.nan
        if stage.kept and math.isfinite(value):
            epoch = first + stage.kept - 1
            tooltip = f"Weights of epoch {epoch:,} are kept: {title.lower()} {figure(value)}"
            plot.mark((epoch, value), series=series, tooltip=tooltip, size=1.3)
