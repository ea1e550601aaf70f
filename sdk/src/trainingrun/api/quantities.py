"""Kubernetes quantities: their value, and CEL conditions on them. They may be written as strings or integers.

In CEL a quantity that is absent or malformed meets every condition: the pattern of its field refuses it, once and in better
words.
"""

import re
from decimal import Decimal

_SUFFIXES = {
    "": Decimal(1),
    "m": Decimal("0.001"),
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate("kMGTPE", start=1)},
    **{f"{suffix}i": Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", start=1)},
}
_QUANTITY = re.compile(r"([0-9.]+)([eE][+-]?[0-9]+)?([a-zA-Z]*)")


def amount(quantity: str) -> Decimal:
    """The value of a quantity, for example 1073741824 for `1Gi` and 0.5 for `500m`.

    Raises ValueError for anything else.
    """
    found = _QUANTITY.fullmatch(quantity)
    if found is None or found[3] not in _SUFFIXES:
        raise ValueError(f"{quantity} is not a quantity.")
    return Decimal(found[1] + (found[2] or "")) * _SUFFIXES[found[3]]


def compared(field: str, sign: str, other: str) -> str:
    """The condition that two fields of `self` compare by this sign, for example `<=`."""
    return f"{_unknown(field)} || {_unknown(other)} || {_value(field)}.compareTo({_value(other)}) {sign} 0"


def at_least(field: str, minimum: str) -> str:
    """The condition that a field of `self` is not smaller than a quantity."""
    return f"{_unknown(field)} || {_value(field)}.compareTo(quantity('{minimum}')) >= 0"


def at_most(field: str, maximum: str) -> str:
    """The condition that a field of `self` is not larger than a quantity."""
    return f"{_unknown(field)} || {_value(field)}.compareTo(quantity('{maximum}')) <= 0"


def _unknown(field: str) -> str:
    return f"!has(self.{field}) || !isQuantity(string(self.{field}))"


def _value(field: str) -> str:
    return f"quantity(string(self.{field}))"
