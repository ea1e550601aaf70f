"""What epochs have come to, as a table and as a line of small bars."""

from collections.abc import Mapping, Sequence

from trainingrun.curves import Epoch, figure
from trainingrun.views.tables import Table

_BARS = "▁▂▃▄▅▆▇█"
BARS = 40
"""At most so many in a line: longer curves are thinned out."""


def names(epochs: Sequence[Epoch]) -> tuple[str, ...]:
    """The metrics that occur, in their order."""
    return tuple(dict.fromkeys(name for epoch in epochs for name in epoch.metrics))


def table(epochs: Sequence[Epoch]) -> Table:
    """One row for each epoch. The course is that of the weights: the first training has none of its own."""
    found = names(epochs)
    header = ("STAGE", "COURSE", "EPOCH", *(name.upper() for name in found))
    return Table(header, tuple(_row(epoch, found) for epoch in epochs))


def _row(epoch: Epoch, found: Sequence[str]) -> tuple[str, ...]:
    figures = (figure(epoch.metrics[name]) if name in epoch.metrics else "" for name in found)
    return (epoch.stage, epoch.course, str(epoch.number), *figures)


def records(epochs: Sequence[Epoch]) -> list[Mapping[str, str | int | float]]:
    """One flat mapping for each epoch: rows for `pandas.DataFrame`, and for files."""
    return [{"stage": epoch.stage, "course": epoch.course, "epoch": epoch.number, **epoch.metrics} for epoch in epochs]


def lines(epochs: Sequence[Epoch]) -> list[str]:
    """A line of bars for each metric, over all courses: `val_accuracy  ▁▄▆▇█  0.9310 to 0.9640`."""
    found = names(epochs)
    width = max(map(len, found), default=0)
    shown = []
    for name in found:
        values = [epoch.metrics[name] for epoch in epochs if name in epoch.metrics]
        shown.append(f"{name:<{width}}  {bars(values)}  {figure(values[0])} to {figure(values[-1])}")
    return shown


def bars(values: Sequence[float]) -> str:
    """Values as heights, the least and the greatest as the lowest and the highest; empty for none."""
    if len(values) > BARS:
        step = (len(values) - 1) / (BARS - 1)
        values = [values[round(place * step)] for place in range(BARS)]
    low, high = min(values, default=0.0), max(values, default=0.0)
    span = high - low
    return "".join(_BARS[round((value - low) / span * (len(_BARS) - 1)) if span > 0 else 0] for value in values)
