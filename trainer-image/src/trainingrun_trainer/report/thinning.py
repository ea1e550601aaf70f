"""Fewer points that look the same. Pure."""

from collections.abc import Sequence
from typing import TypeVar

Point = tuple[float, float]
T = TypeVar("T")


def thinned(points: Sequence[Point], *, most: int) -> list[Point]:
    """At most so many points: the lowest and the highest of each of `most / 2 - 1` neighbourhoods, and both ends.

    So no spike is lost, as it would be with every n-th point.
    """
    if len(points) <= most:
        return list(points)
    inner, groups = points[1:-1], most // 2 - 1
    kept = [points[0]]
    for group in range(groups):
        part = inner[group * len(inner) // groups : (group + 1) * len(inner) // groups]
        low, high = min(part, key=lambda point: point[1]), max(part, key=lambda point: point[1])
        kept += sorted({low, high})
    return [*kept, points[-1]]


def spread(items: Sequence[T], *, most: int) -> list[T]:
    """At most so many of the items, evenly chosen, with the first and the last."""
    if len(items) <= most:
        return list(items)
    return [items[index * (len(items) - 1) // (most - 1)] for index in range(most)]
