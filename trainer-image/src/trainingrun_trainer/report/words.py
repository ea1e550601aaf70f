"""Numbers as people read them. Pure."""

import math
import re

_UNITS = ("B", "kB", "MB", "GB", "TB")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def figure(value: float, *, digits: int = 4) -> str:
    """A number with so many significant digits, without an exponent where that is short: 0.9731, 12500, 3.1e-5."""
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else _signed("∞" if value > 0 else "-∞")
    if value != 0 and not 1e-4 <= abs(value) < 1e7:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        return _signed(f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}")
    decimals = max(0, digits - 1 - (math.floor(math.log10(abs(value))) if value else 0))
    text = f"{value:.{decimals}f}"
    return _signed(text.rstrip("0").rstrip(".") if "." in text else text)


def fixed(value: float, *, decimals: int) -> str:
    """A number with so many decimals."""
    return _signed(f"{value:,.{decimals}f}")


def size(number: float) -> str:
    """Bytes in the decimal unit that fits: 1 kB are 1,000 bytes."""
    if not math.isfinite(number):
        return figure(number)
    exponent = 0
    while abs(number) >= 999.5 and exponent < len(_UNITS) - 1:
        number, exponent = number / 1000, exponent + 1
    return f"{figure(number, digits=3)} {_UNITS[exponent]}"


def duration(seconds: float) -> str:
    """Seconds as `0.4 s`, `42 s`, `3 min 20 s` or `2 h 5 min`."""
    if not math.isfinite(seconds):
        return figure(seconds)
    if seconds < 9.95:
        return f"{figure(seconds, digits=2)} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def percent(fraction: float) -> str:
    """A fraction as `97.3 %`."""
    return f"{figure(100 * fraction, digits=3)} %" if math.isfinite(fraction) else figure(fraction)


def shortened(text: str, *, most: int) -> str:
    """The text, or its beginning and an ellipsis."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def counted(number: int, noun: str) -> str:
    """`1 epoch`, `1,000 epochs`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def printable(text: str) -> str:
    """The text without characters that no HTML document may have, each one replaced."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def _signed(text: str) -> str:
    """With the sign that is as wide as a digit."""
    return text.replace("-", "\N{MINUS SIGN}")
