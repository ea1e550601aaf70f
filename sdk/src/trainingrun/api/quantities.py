"""CEL conditions on Kubernetes quantities, which may be written as strings or integers.

A quantity that is absent or malformed meets every condition: the pattern of its field refuses it, once and in better words.
"""


def compared(field: str, sign: str, other: str) -> str:
    """The condition that two fields of `self` compare by this sign, for example `<=`."""
    return f"{_unknown(field)} || {_unknown(other)} || {_value(field)}.compareTo({_value(other)}) {sign} 0"


def at_least(field: str, minimum: str) -> str:
    """The condition that a field of `self` is not smaller than a quantity."""
    return f"{_unknown(field)} || {_value(field)}.compareTo(quantity('{minimum}')) >= 0"


def _unknown(field: str) -> str:
    return f"!has(self.{field}) || !isQuantity(string(self.{field}))"


def _value(field: str) -> str:
    return f"quantity(string(self.{field}))"
