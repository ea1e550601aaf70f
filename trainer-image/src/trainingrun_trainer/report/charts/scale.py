"""From values to a place on an axis, with ticks that people would choose. Pure."""

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """A range of values, linear or logarithmic, and the values that are marked."""

    low: float
    high: float
    ticks: tuple[float, ...]
    is_log: bool = False

    def place(self, value: float) -> float:
        """0 at the low end, 1 at the high one."""
        if self.is_log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def linear(values: Iterable[float], *, most_ticks: int = 6, is_whole: bool = False, from_zero: bool = False) -> Scale:
    """A scale that holds all finite values and ends at ticks, which are 1, 2 or 5 times a power of ten apart."""
    finite = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(finite), max(finite)
    low = min(low, 0.0) if from_zero else low
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        room = abs(high) * 0.1 or 1.0
        low, high = low - (0 if from_zero else room), high + room
    step = _nice((high - low) / (most_ticks - 1))
    step = max(1.0, step) if is_whole else step
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple(float(f"{number * step:.12g}") for number in range(first, last + 1))
    return Scale(ticks[0], ticks[-1], ticks)


def close_fit(low: float, high: float, *, most_ticks: int = 6) -> Scale:
    """A scale of whole numbers that ends where the values end, for epochs and numbers of trials."""
    high = max(high, low + 1)
    step = max(1, round(_nice((high - low) / (most_ticks - 1))))
    first = math.ceil(low / step) * step
    ticks = {float(number) for number in range(first, math.floor(high) + 1, step)}
    if low > 0 and first - low >= step / 2:
        ticks.add(low)
    return Scale(low, high, tuple(sorted(ticks)))


def logarithmic(values: Iterable[float], *, most_ticks: int = 6, margin: float = 1.0) -> Scale:
    """A scale of positive values; ticks are 1, 2 and 5 times powers of ten, or powers of ten alone when these are many.

    The scale goes `margin` times beyond the values on both sides.
    """
    positive = [value for value in values if value > 0 and math.isfinite(value)] or [1.0, 10.0]
    low, high = min(positive), max(positive)
    if high / low < 1.05:
        low, high = low / 1.5, high * 1.5
    low, high = low / margin, high * margin
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1, 2, 5), (1, 3), (1,)):
        ticks = [factor * 10.0**decade for decade in decades for factor in factors]
        ticks = [tick for tick in ticks if low * 0.999 <= tick <= high * 1.001]
        if len(ticks) <= most_ticks:
            break
    ticks = ticks[:: -(-len(ticks) // most_ticks)] if ticks else [low, high]
    return Scale(low, high, tuple(ticks), is_log=True)


def _nice(step: float) -> float:
    """The next larger of 1, 2, 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(step))
    return next((factor * power for factor in (1, 2, 5) if factor * power >= step * 0.999), 10 * power)
