"""Parallel coordinates: an axis for each parameter and the last one for the value, and a line across them for each trial."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from xml.etree.ElementTree import Element

from markupsafe import Markup

from trainingrun_trainer.report.charts import svg
from trainingrun_trainer.report.charts.scale import Scale, linear, logarithmic
from trainingrun_trainer.report.words import figure, shortened

_HEIGHT, _GAP, _TOP, _FLOOR = 290.0, 118.0, 52.0, 270.0
_SIDE = 62.0


class Line(NamedTuple):
    """A trial: its value on each axis, how good it is from 0 to 1, and what it says when pointed at."""

    values: Mapping[str, float | str]
    goodness: float
    tooltip: str


@dataclass(frozen=True)
class _Axis:
    """One vertical axis: places from 0 (bottom) to 1 by value or by category."""

    name: str
    scale: Scale | None
    categories: tuple[str, ...] = ()

    def place(self, value: float | str) -> float:
        if self.scale is None:
            return (self.categories.index(str(value)) + 0.5) / len(self.categories)
        return self.scale.place(float(value))

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Places and texts."""
        if self.scale is None:
            return [(self.place(category), shortened(category, most=14)) for category in self.categories]
        return [(self.scale.place(tick), figure(tick)) for tick in self.scale.ticks]


def parallel(lines: Sequence[Line], *, names: Sequence[str], logarithmic_names: frozenset[str], label: str) -> Markup:
    """The lines, the best above the others. All of them have a value on every axis."""
    axes = [_axis(name, [line.values[name] for line in lines], is_log=name in logarithmic_names) for name in names]
    drawing = svg.root(width=2 * _SIDE + _GAP * (len(axes) - 1), height=_HEIGHT, label=label, is_fixed=True)
    for line in sorted(lines, key=lambda line: line.goodness):
        points = [(_SIDE + _GAP * index, _height(axis.place(line.values[axis.name]))) for index, axis in enumerate(axes)]
        kind = f"trial level-{min(4, int(line.goodness * 5))}" + (" best" if line.goodness == 1 else "")
        svg.add(drawing, "path", d=svg.path(points), kind=kind, tooltip=line.tooltip)
    for index, axis in enumerate(axes):
        x = _SIDE + _GAP * index
        svg.add(drawing, "path", d=f"M{x:.1f},{_TOP:.1f}V{_FLOOR:.1f}", kind="axis")
        *parents, leaf = axis.name.split(".")
        stagger = 14 if index % 2 == 0 else 32
        shown = shortened(leaf if parents else axis.name, most=26)
        svg.add(drawing, "text", x=x, y=stagger, text=shown, text_anchor="middle", kind="axis-title").append(_title(axis.name))
        for place, text in axis.ticks:
            svg.add(drawing, "path", d=f"M{x - 3:.1f},{_height(place):.1f}h6", kind="axis")
            svg.add(drawing, "text", x=x + 6, y=_height(place) + 4, text=text, kind="tick halo")
    return svg.markup(drawing)


def _axis(name: str, values: Sequence[float | str], *, is_log: bool) -> _Axis:
    numbers = [float(value) for value in values if not isinstance(value, str) and math.isfinite(value)]
    if len(numbers) < len(values):
        return _Axis(name, None, tuple(sorted({str(value) for value in values})))
    return _Axis(name, logarithmic(numbers) if is_log and min(numbers) > 0 else linear(numbers))


def _height(place: float) -> float:
    return _FLOOR - place * (_FLOOR - _TOP)


def _title(text: str) -> Element:
    """The whole name, for who points at the shortened one."""
    return svg.add(Element("g"), "title", text=text)
