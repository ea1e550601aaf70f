"""Horizontal bars, each with its name above it and its value at its end: names may be long, and a phone is narrow."""

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from trainingrun_trainer.report.charts import svg
from trainingrun_trainer.report.words import shortened

_WIDTH, _ROW, _LONGEST_NAME = 380.0, 37.0, 50


class Bar(NamedTuple):
    """A name, how long the bar is, and that as text."""

    name: str
    value: float
    text: str


def bars(rows: Sequence[Bar], *, label: str, whole: float | None = None) -> Markup:
    """A bar for each row, from 0 to `whole`, or to the largest of them. No value may be negative."""
    longest = whole or max(row.value for row in rows) or 1.0
    drawing = svg.root(width=_WIDTH, height=_ROW * len(rows) + 2, label=label)
    room = _WIDTH - 10 - max(svg.text_width(row.text) for row in rows)
    for index, row in enumerate(rows):
        top = _ROW * index
        length = max(1.0, room * row.value / longest)
        svg.add(drawing, "text", x=0, y=top + 12, text=shortened(row.name, most=_LONGEST_NAME), kind="bar-name")
        svg.add(drawing, "rect", x=0, y=top + 17, width=room, height=12, rx=2, kind="bar-room")
        tooltip = f"{row.name}: {row.text}"
        svg.add(drawing, "rect", x=0, y=top + 17, width=length, height=12, rx=2, kind="bar", tooltip=tooltip)
        svg.add(drawing, "text", x=room + 8, y=top + 27, text=row.text, kind="bar-value")
    return svg.markup(drawing)
