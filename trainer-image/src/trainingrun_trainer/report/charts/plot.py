"""A drawing area with two axes, on which lines and marks are placed by their values.

It is laid out for the width of a phone, 380 units for about as many pixels, and grows with the page.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from trainingrun_trainer.report.charts import svg
from trainingrun_trainer.report.charts.scale import Scale
from trainingrun_trainer.report.words import figure, fixed

Point = tuple[float, float]

WIDTH, HEIGHT = 380.0, 245.0
_TOP, _RIGHT, _BOTTOM = 35.0, 12.0, 40.0
_LETTER = 6.7
"""Width of a digit of a tick's text."""


@dataclass(frozen=True)
class Axis:
    """What an axis shows, with its unit, and how its values are written."""

    title: str
    scale: Scale
    text: Callable[[float], str] | None = None
    """By default, linear ticks all have as many decimals as their distance needs."""

    @property
    def labels(self) -> list[tuple[float, str]]:
        """The ticks and their texts."""
        ticks = self.scale.ticks
        if self.text is not None:
            return [(tick, self.text(tick)) for tick in ticks]
        is_plain = not self.scale.is_log and len(ticks) > 1 and ticks[1] - ticks[0] > 1e-5 and max(map(abs, ticks)) < 1e7
        if not is_plain:
            return [(tick, figure(tick)) for tick in ticks]
        decimals = max(0, -math.floor(math.log10(ticks[1] - ticks[0]) + 1e-9))
        return [(tick, fixed(tick, decimals=decimals)) for tick in ticks]


class Plot:
    """The axes are drawn first; what is added later lies above what was added before."""

    def __init__(self, x: Axis, y: Axis, *, label: str) -> None:
        """`label` says what the drawing shows to who cannot see it."""
        self._x, self._y = x, y
        self._left = 14 + _LETTER * max(len(text) for _, text in y.labels)
        self._drawing = svg.root(width=WIDTH, height=HEIGHT, label=label)
        self._draw_axes()

    def line(self, points: Sequence[Point], *, series: int, tooltip: str = "", kind: str = "line") -> None:
        """A line through at least one point."""
        d = svg.path(self.at(*point) for point in points)
        svg.add(self._drawing, "path", d=d, kind=f"{kind} series-{series % svg.STYLES}", tooltip=tooltip)

    def mark(self, point: Point, *, series: int, tooltip: str, kind: str = "mark", size: float = 1) -> None:
        """A mark of a series that says something when it is pointed at."""
        svg.mark(self._drawing, self.at(*point), series=series, tooltip=tooltip, kind=kind, size=size)

    def spot(self, point: Point, *, tooltip: str) -> None:
        """Nothing to be seen, but it says something when it is pointed at."""
        x, y = self.at(*point)
        svg.add(self._drawing, "circle", cx=x, cy=y, r=7, kind="spot", tooltip=tooltip)

    def border(self, x: float, *, tooltip: str) -> None:
        """A line from top to bottom, and between the names of what it parts."""
        place, _ = self.at(x, self._y.scale.low)
        svg.add(self._drawing, "path", d=f"M{place:.1f},{_TOP - 17:.1f}V{HEIGHT - _BOTTOM:.1f}", kind="border", tooltip=tooltip)

    def span_name(self, first: float, last: float, text: str) -> None:
        """A text over a range of x, above all that is drawn, if it fits there."""
        (left, _), (right, _) = self.at(first, self._y.scale.low), self.at(last, self._y.scale.low)
        if svg.text_width(text, font_size=11) + 4 <= right - left:
            svg.add(self._drawing, "text", x=left + 3, y=_TOP - 9, text=text, kind="span-name")

    def vertical_bound(self, x: float, text: str) -> None:
        """A limit of x, from top to bottom, with its text at the foot."""
        place, _ = self.at(x, self._y.scale.low)
        svg.add(self._drawing, "path", d=f"M{place:.1f},{_TOP:.1f}V{HEIGHT - _BOTTOM:.1f}", kind="bound", tooltip=text)
        anchor, nudge = ("end", -4) if place > WIDTH / 2 else ("start", 4)
        foot = HEIGHT - _BOTTOM - 5
        svg.add(self._drawing, "text", x=place + nudge, y=foot, text=text, text_anchor=anchor, kind="bound-name")

    def horizontal_bound(self, y: float, text: str) -> None:
        """A limit of y, from left to right, with its text at the left."""
        _, place = self.at(self._x.scale.low, y)
        svg.add(self._drawing, "path", d=f"M{self._left:.1f},{place:.1f}H{WIDTH - _RIGHT:.1f}", kind="bound", tooltip=text)
        under = 13 if place < _TOP + 14 else -4
        svg.add(self._drawing, "text", x=self._left + 4, y=place + under, text=text, kind="bound-name")

    def markup(self) -> Markup:
        """The finished drawing."""
        return svg.markup(self._drawing)

    def at(self, x: float, y: float) -> Point:
        """Where a point is drawn."""
        across = self._left + self._x.scale.place(x) * (WIDTH - _RIGHT - self._left)
        return across, HEIGHT - _BOTTOM - self._y.scale.place(y) * (HEIGHT - _BOTTOM - _TOP)

    def _draw_axes(self) -> None:
        floor = HEIGHT - _BOTTOM
        for tick, text in self._y.labels:
            _, y = self.at(self._x.scale.low, tick)
            svg.add(self._drawing, "path", d=f"M{self._left:.1f},{y:.1f}H{WIDTH - _RIGHT:.1f}", kind="grid")
            svg.add(self._drawing, "text", x=self._left - 6, y=y + 4, text=text, text_anchor="end", kind="tick")
        for tick, text in self._x.labels:
            x, _ = self.at(tick, self._y.scale.low)
            svg.add(self._drawing, "path", d=f"M{x:.1f},{floor:.1f}v4", kind="axis")
            room = min(WIDTH - x, x) * 2 - 2
            anchor, x = ("end", WIDTH - 2) if svg.text_width(text) > room and x > WIDTH / 2 else ("middle", x)
            svg.add(self._drawing, "text", x=x, y=floor + 17, text=text, text_anchor=anchor, kind="tick")
        svg.add(self._drawing, "path", d=f"M{self._left:.1f},{floor:.1f}H{WIDTH - _RIGHT:.1f}", kind="axis")
        svg.add(self._drawing, "text", x=2, y=13, text=self._y.title, kind="axis-title")
        middle = (self._left + WIDTH - _RIGHT) / 2
        svg.add(self._drawing, "text", x=middle, y=HEIGHT - 5, text=self._x.title, text_anchor="middle", kind="axis-title")
