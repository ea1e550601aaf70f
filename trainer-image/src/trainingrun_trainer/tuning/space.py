"""The values that a search may try, as they would be written in spec. Pure."""

import itertools
import math

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
    minimum, maximum = number(bounds.minimum), number(bounds.maximum)
    if bounds.scale is Scale.LOG:
        text = f"{value:.{LOG_DIGITS}g}"
    else:
        text = f"{round(value, LINEAR_PARTS - math.floor(math.log10(maximum - minimum))):.12g}"
    text = text.replace("e+", "e")  # as the API writes decimals
    if number(text) <= minimum:
        return bounds.minimum
    return bounds.maximum if number(text) >= maximum else text


def trials(tuning: Tuning) -> int:
    """How many trials the search has: a grid may have fewer points than trials are allowed."""
    return len(grid(tuning)) if tuning.algorithm is Algorithm.GRID else tuning.trials


def grid(tuning: Tuning) -> list[Values]:
    """All combinations of the values, the last parameter's changing first.

    Raises TrainerError (bad config) for decimals, which are endless, and for a grid larger than `trials`.
    """
    endless = [parameter.name for parameter in tuning.parameters if parameter.double is not None]
    if endless:
        raise bad_config(
            f"spec.tuning.parameters {', '.join(endless)}: the decimals of double have no end, so algorithm Grid cannot try "
            'all of them. List the values as categorical, for example ["0.001", "0.01"], use int, or change '
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
        return parameter.double.minimum, parameter.double.maximum
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
    return len(parameter.categorical)


def _listed(parameter: SearchParameter) -> tuple[str, ...]:
    if parameter.int_ is not None:
        bounds = parameter.int_
        return tuple(map(str, range(bounds.minimum, bounds.maximum + 1, bounds.step)))
    assert parameter.categorical is not None, "decimals have been refused"
    return parameter.categorical
