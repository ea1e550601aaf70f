"""Numbers of things in the sentences of policies."""

from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TypeVar

MOST_NAMED = 4

Number = TypeVar("Number", int, Decimal)


def counted(number: int, noun: str) -> str:
    """For example `1 node` or `3 nodes`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listed(found: Counter[str]) -> str:
    """The most frequent values, and on how many nodes each is."""
    named = [f"{value} (on {counted(number, 'node')})" for value, number in found.most_common(MOST_NAMED)]
    more = len(found) - len(named)
    return ", ".join(named) + (f" and {more} more" if more > 0 else "")


def largest(numbers: Sequence[Number], words: Callable[[Number], str]) -> str:
    """The largest of some numbers of nodes, and how many of them have it."""
    most = max(numbers)
    return f"{words(most)}, on {counted(numbers.count(most), 'node')}"


def memory(mebibytes: int, *, like: str) -> str:
    """Memory in the units of another quantity, binary or decimal, rounded down."""
    base, suffix = (1024, "i") if like.endswith("i") else (1000, "")
    size = mebibytes * 2**20
    unit = "G" if size >= base**3 else "M"
    return f"{size // base ** (3 if unit == 'G' else 2)}{unit}{suffix}"
