"""All artifacts: size against metric, and what was measured with each of them."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from trainingrun_trainer.report.charts.bars import Bar, bars
from trainingrun_trainer.report.charts.plot import Axis, Plot, Point
from trainingrun_trainer.report.charts.scale import linear, logarithmic
from trainingrun_trainer.report.values import Artifact, Check, Verdict
from trainingrun_trainer.report.views.drawing import Drawing, Entry
from trainingrun_trainer.report.words import figure, percent, size

_MOST_LAYERS, _MOST_REASONS = 60, 4
_MOST_ARTIFACTS, _MOST_WITH_LAYERS = 24, 6
_FRONT = 7
"""Style of the line through the artifacts that no other one beats in both."""


@dataclass(frozen=True)
class FrontView:
    """What the section shows."""

    drawing: Drawing | None
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    is_measured: bool
    """Whether there is more than sizes."""
    files: str
    """Names of what is beside the page."""
    reasons: tuple[tuple[str, tuple[str, ...]], ...]
    layers: tuple[tuple[str, Markup, int], ...]
    """Artifacts that are pruned: the bars of their layers, and how many layers are not drawn."""


@dataclass(frozen=True)
class _Column:
    title: str
    text: Callable[[Artifact], str]


def front_view(artifacts: Sequence[Artifact], verdict: Verdict | None) -> FrontView:
    """The table has the columns of which at least one artifact has a value."""
    artifacts = artifacts[:_MOST_ARTIFACTS]
    columns = [column for column in _COLUMNS if any(column.text(artifact) for artifact in artifacts)]
    return FrontView(
        drawing=_drawing(artifacts, verdict.checks if verdict is not None else ()),
        columns=tuple(column.title for column in columns),
        rows=tuple(tuple(column.text(artifact) for column in columns) for artifact in artifacts),
        is_measured=any(artifact.accuracy is not None or artifact.loss is not None for artifact in artifacts),
        files=", ".join(artifact.file for artifact in artifacts if artifact.file),
        reasons=tuple((artifact.name, artifact.reasons[:_MOST_REASONS]) for artifact in artifacts if artifact.reasons),
        layers=tuple(_layers(artifact) for artifact in artifacts[:_MOST_WITH_LAYERS] if artifact.layers),
    )


def pareto(points: Sequence[Point], *, is_maximized: bool) -> list[Point]:
    """Of (size, value), those that no other point beats or equals in both, the smallest first."""
    sign = -1 if is_maximized else 1
    front: list[Point] = []
    for point in sorted(points, key=lambda point: (point[0], sign * point[1])):
        if not front or sign * point[1] < sign * front[-1][1]:
            front.append(point)
    return front


def _drawing(artifacts: Sequence[Artifact], checks: Sequence[Check]) -> Drawing | None:
    is_accuracy = any(artifact.accuracy is not None for artifact in artifacts)
    is_gzipped = any(artifact.gzipped_bytes is not None for artifact in artifacts)
    metric = "accuracy" if is_accuracy else "loss"
    points = [_point(artifact, is_accuracy=is_accuracy, is_gzipped=is_gzipped) for artifact in artifacts]
    shown = [(artifact, point) for artifact, point in zip(artifacts, points, strict=True) if point is not None]
    if len(shown) < 2:
        return None
    limits = [check.bound for check in checks if check.is_size and is_gzipped]
    floors = [check for check in checks if check.name == metric]
    sizes = [point[0] for _, point in shown] + limits
    x = Axis("Size, compressed with gzip" if is_gzipped else "Size", logarithmic(sizes, most_ticks=5, margin=1.15), size)
    y = Axis(metric.capitalize(), linear([point[1] for _, point in shown] + [check.bound for check in floors]))
    plot = Plot(x, y, label=f"Size and {metric} of each artifact")
    for limit in limits:
        plot.vertical_bound(limit, f"at most {size(limit)}")
    for check in floors:
        plot.horizontal_bound(check.bound, f"{'at most' if check.is_maximum else 'at least'} {figure(check.bound)}")
    front = pareto([point for _, point in shown], is_maximized=is_accuracy)
    if len(front) > 1:
        plot.line(_stairs(front), series=_FRONT, kind="line thin")
    for number, (artifact, point) in enumerate(shown):
        tooltip = f"{artifact.name}: {size(point[0])}, {metric} {figure(point[1])}"
        rejected = " rejected" if artifact.accepted is False else ""
        plot.mark(point, series=number, tooltip=tooltip, kind=f"mark{rejected}", size=1.4)
    legend = [Entry.of(number, artifact.name, has_line=False, has_mark=True) for number, (artifact, _) in enumerate(shown)]
    note = "Upper left is better." if is_accuracy else "Lower left is better."
    if any(artifact.accepted is False for artifact, _ in shown):
        note += " Hollow marks are not accepted."
    if len(front) > 1:
        legend.append(Entry.of(_FRONT, "front: nothing beats it in both"))
    return Drawing(f"Size against {metric}", plot.markup(), tuple(legend), note)


def _point(artifact: Artifact, *, is_accuracy: bool, is_gzipped: bool) -> Point | None:
    value = artifact.accuracy if is_accuracy else artifact.loss
    number = artifact.gzipped_bytes if is_gzipped else artifact.size_bytes
    return (number, value) if number and value is not None and math.isfinite(value) else None


def _stairs(front: Sequence[Point]) -> list[Point]:
    """The corners between the points."""
    corners = [front[0]]
    for point in front[1:]:
        corners += [(point[0], corners[-1][1]), point]
    return corners


def _layers(artifact: Artifact) -> tuple[str, Markup, int]:
    rows = [Bar(name, fraction, percent(fraction)) for name, fraction in artifact.layers[:_MOST_LAYERS]]
    drawing = bars(rows, label=f"Weights of {artifact.name} that are zero, by layer", whole=1.0)
    return artifact.name, drawing, len(artifact.layers) - len(rows)


def _accepted(artifact: Artifact) -> str:
    return {None: "", True: "✓ yes", False: "✗ no"}[artifact.accepted]


def _optional(value: float | None, text: Callable[[float], str]) -> str:
    return "" if value is None else text(value)


_COLUMNS = (
    _Column("Artifact", lambda artifact: artifact.name),
    _Column("Size", lambda artifact: size(artifact.size_bytes)),
    _Column("Gzipped", lambda artifact: _optional(artifact.gzipped_bytes, size)),
    _Column("Accuracy", lambda artifact: _optional(artifact.accuracy, figure)),
    _Column("Loss", lambda artifact: _optional(artifact.loss, figure)),
    _Column("Latency, median", lambda artifact: _optional(artifact.latency_milliseconds, _milliseconds)),
    _Column("Latency, 95 %", lambda artifact: _optional(artifact.latency_p95_milliseconds, _milliseconds)),
    _Column("Latency on", lambda artifact: "" if artifact.latency_milliseconds is None else artifact.latency_on),
    _Column("Zero weights", lambda artifact: _optional(artifact.sparsity, percent)),
    _Column("Accepted", _accepted),
)


def _milliseconds(value: float) -> str:
    return f"{figure(value, digits=3)} ms"
