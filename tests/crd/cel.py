"""Rules in CEL as the API server evaluates them, with the functions that it adds for quantities.

The language is cel-python's; only what Kubernetes adds to it and our rules use is here.
"""

import json
import re
from decimal import Decimal
from functools import cache, cached_property
from typing import Any

from celpy import Environment, Runner, celtypes
from celpy.adapter import json_to_cel
from celpy.evaluation import CELEvalError, CELFunction

from trainingrun.api.quantities import amount

Path = tuple[str, ...]

_RESERVED = frozenset(
    [
        *("as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let", "loop"),
        *("namespace", "null", "package", "return", "true", "var", "void", "while"),
    ]
)
"""Names that CEL keeps for itself: a field of such a name has underscores around it."""
_DASH = "__dash__"
"""What CEL's names have for a hyphen."""
_LITERAL = re.compile(r"'((?:[^'\\]|\\.)*)'")
_PLACE = re.compile(r"(?:self|oldSelf)((?:\.[A-Za-z_]\w*(?!\w*\())+)")
"""`self.` and names after it, but for the method that is called at the end."""
_ENVIRONMENT = Environment()
"""Made at once, since it raises Python's limit of recursion, which Hypothesis wants to stay as it is during a test."""


class Rule:
    """One entry of `x-kubernetes-validations`."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.is_about_changes = "oldSelf" in text
        """Whether it compares with what was stored before; it is not asked about a new object."""
        self._answers: dict[str, bool] = {}

    def holds(self, value: Any, *, old: Any = None) -> bool:
        """Whether a value with its defaults meets the rule. One that cannot be evaluated refuses, as in the API server."""
        read = {"self": self._read(value), "oldSelf": self._read(old) if self.is_about_changes else None}
        known = json.dumps(read, sort_keys=True)
        if known not in self._answers:
            self._answers[known] = self._evaluated(read)
        return self._answers[known]

    def _read(self, value: Any) -> Any:
        """What it may look at of a value: what else an object has does not change the answer."""
        if not isinstance(value, dict) or not self.paths:
            return value
        fields = {path[0] for path in self.paths}
        return {name: item for name, item in value.items() if name in fields}

    def _evaluated(self, read: dict[str, Any]) -> bool:
        try:
            return bool(self._program.evaluate({name: json_to_cel(_escaped(value)) for name, value in read.items()}))
        except CELEvalError:
            return False

    @cached_property
    def _program(self) -> Runner:
        functions: dict[str, CELFunction] = {
            "quantity": _quantity,
            "isQuantity": _is_quantity,
            "compareTo": _compare,
            "split": _split,
        }
        return _ENVIRONMENT.program(_ENVIRONMENT.compile(self.text), functions=functions)

    @cached_property
    def literals(self) -> tuple[str, ...]:
        """The texts that it compares with."""
        return tuple(dict.fromkeys(found.replace("\\\\", "\\") for found in _LITERAL.findall(self.text)))

    @cached_property
    def paths(self) -> tuple[Path, ...]:
        """The places in the object that it reads, each once."""
        found = (tuple(map(_unescaped, place.split(".")[1:])) for place in _PLACE.findall(self.text))
        return tuple(dict.fromkeys(found))

    @cached_property
    def alternatives(self) -> frozenset[str]:
        """The fields of which it wants exactly one; none when it is about something else."""
        only_has = r"has\(self\.\w+\)"
        listed = rf"\[{only_has}(, {only_has})*\]\.filter\(x, x\)\.size\(\) == 1"
        wants_one = re.fullmatch(rf"{listed}|{only_has} != {only_has}", self.text)
        return frozenset(place[0] for place in self.paths) if wants_one else frozenset()


@cache
def rule(text: str) -> Rule:
    """The rule of this text, which remembers its answers."""
    return Rule(text)


def _escaped(value: Any) -> Any:
    if isinstance(value, dict):
        return {_escaped_name(name): _escaped(item) for name, item in value.items()}
    return [_escaped(item) for item in value] if isinstance(value, list) else value


def _escaped_name(name: str) -> str:
    """A field's name as it stands in a rule."""
    return f"__{name}__" if name in _RESERVED else name.replace("-", _DASH)


def _unescaped(name: str) -> str:
    return name.replace(_DASH, "-").strip("_")


class _Quantity:
    """A value that only `compareTo` reads."""

    def __init__(self, value: Decimal) -> None:
        self.value = value


def _quantity(text: Any) -> Any:
    return _Quantity(amount(str(text)))


def _is_quantity(text: Any) -> Any:
    try:
        amount(str(text))
    except (ValueError, ArithmeticError):
        return celtypes.BoolType(False)
    return celtypes.BoolType(True)


def _compare(one: Any, other: Any) -> Any:
    return celtypes.IntType((one.value > other.value) - (one.value < other.value))


def _split(text: Any, separator: Any) -> Any:
    return celtypes.ListType([celtypes.StringType(piece) for piece in str(text).split(str(separator))])
