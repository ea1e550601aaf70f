"""The values that a search may try, as they would be written in spec. Pure."""

import itertools
import math
from collections.abc import Iterator
from decimal import Decimal

from trainingrun.api import Algorithm, DoubleRange, Scale, SearchParameter, Tuning, number
from trainingrun_trainer.errors import bad_config

Values = dict[str, str]
"""One value for each parameter: paths in spec, and what would be written there."""

LINEAR_PARTS = 4
"""Decimal places of the width of a linear range: 0 to 0.5 is searched in steps of 0.00001."""
LOG_DIGITS = 4
"""Significant digits of a value from a logarithmic range."""


def decimal_text(value: float, bounds: DoubleRange) -> str:
    """A value of a range of decimals, rounded to what makes a difference; never outside the bounds."""
    is_log = bounds.scale is Scale.LOG
    text = f"{value:.{LOG_DIGITS}g}" if is_log else f"{round(value, _linear_places(bounds)):.12g}"
    text = text.replace("e+", "e")  # as the API writes decimals
    if number(text) <= bounds.minimum:
        return str(bounds.minimum)
    return str(bounds.maximum) if number(text) >= bounds.maximum else text


def _linear_places(bounds: DoubleRange) -> int:
    """Decimal places of the values of a linear range; below 0 for one that is wide."""
    return LINEAR_PARTS - math.floor(math.log10(bounds.maximum - bounds.minimum))


def _linear_step(bounds: DoubleRange) -> Decimal:
    return Decimal(1).scaleb(-_linear_places(bounds))


def trials(tuning: Tuning) -> int:
    """How many trials the search has: there may be fewer combinations of the values than trials are allowed."""
    if tuning.algorithm is Algorithm.GRID:
        return len(grid(tuning))
    return min(tuning.trials, math.prod(len(_some(parameter, most=tuning.trials)) for parameter in tuning.parameters))


def points(tuning: Tuning) -> Iterator[Values]:
    """Combinations of the values, the last parameter's changing first: all of them, or at least as many as there are trials."""
    names = [parameter.name for parameter in tuning.parameters]
    some = [_some(parameter, most=tuning.trials) for parameter in tuning.parameters]
    return (dict(zip(names, point, strict=True)) for point in itertools.product(*some))


def grid(tuning: Tuning) -> list[Values]:
    """All combinations of the values, the last parameter's changing first.

    Raises TrainerError (bad config) for decimals, which are endless, and for a grid larger than `trials`.
    """
    endless = [parameter.name for parameter in tuning.parameters if parameter.double is not None]
    if endless:
        raise bad_config(
            f"spec.tuning.parameters {', '.join(endless)}: the decimals of double have no end, so algorithm Grid cannot try "
            "all of them. List the values as categorical, for example [0.001, 0.01], use int, or change "
            "spec.tuning.algorithm."
        )
    sizes = [_count(parameter) for parameter in tuning.parameters]
    if math.prod(sizes) > tuning.trials:
        raise bad_config(
            f"spec.tuning.algorithm Grid has {_product(sizes)} points, more than spec.tuning.trials {tuning.trials}. "
            "Raise trials, take fewer values, or use TPE or Random."
        )
    names = [parameter.name for parameter in tuning.parameters]
    return [dict(zip(names, point, strict=True)) for point in itertools.product(*map(_listed, tuning.parameters))]


def corners(parameter: SearchParameter) -> tuple[str, ...]:
    """Values that show whether all of them are good: the bounds of a range, or every value of a list."""
    if parameter.double is not None:
        return str(parameter.double.minimum), str(parameter.double.maximum)
    if parameter.int_ is not None:
        return str(parameter.int_.minimum), str(largest(parameter))
    assert parameter.categorical is not None, "the API asks for exactly one"
    return parameter.categorical


def largest(parameter: SearchParameter) -> int:
    """The largest whole number of a range that its step reaches."""
    bounds = parameter.int_
    assert bounds is not None, "the caller has looked"
    return bounds.maximum - (bounds.maximum - bounds.minimum) % bounds.step


def _product(sizes: list[int]) -> str:
    return f"{' x '.join(map(str, sizes))} = {math.prod(sizes)}" if len(sizes) > 1 else str(sizes[0])


def _count(parameter: SearchParameter) -> int:
    """How many values there are, without listing them: a range may have a million."""
    if parameter.int_ is not None:
        return (parameter.int_.maximum - parameter.int_.minimum) // parameter.int_.step + 1
    assert parameter.categorical is not None, "decimals have been refused"
    return len(set(parameter.categorical))


def _some(parameter: SearchParameter, *, most: int) -> tuple[str, ...]:
    """The first values, at most this many."""
    return tuple(itertools.islice(_listed(parameter), most))


def _listed(parameter: SearchParameter) -> Iterator[str]:
    """All values, each once, the lowest first or as they are written."""
    if parameter.double is not None:
        yield from _decimals(parameter.double)
    elif parameter.int_ is not None:
        bounds = parameter.int_
        yield from map(str, range(bounds.minimum, bounds.maximum + 1, bounds.step))
    else:
        assert parameter.categorical is not None, "the API asks for exactly one"
        yield from dict.fromkeys(parameter.categorical)


def _decimals(bounds: DoubleRange) -> Iterator[str]:
    """What `decimal_text` makes of the values of a range."""
    minimum, maximum = Decimal(str(bounds.minimum)), Decimal(str(bounds.maximum))
    value, last = minimum, str(bounds.minimum)
    yield last
    while value < maximum:
        value += Decimal(10) ** (value.adjusted() - LOG_DIGITS + 1) if bounds.scale is Scale.LOG else _linear_step(bounds)
        text = decimal_text(float(value), bounds)
        if text != last:
            yield (last := text)
