"""Values of any kind, as they stand in a manifest and as text, which is what the contract has of them.

A manifest says `units: 64`, `dropout: 0.3`, `hidden: [64, 32]`, `name: relu`. In the contract all of these are texts, as every
image so far reads them: JSON, or plain words, or the sizes of layers separated by commas.
"""

import json
from typing import Any, NoReturn

from trainingrun.api.base import Number

UNTYPED: dict[str, Any] = {"x-kubernetes-preserve-unknown-fields": True}
"""The schema of a value of any kind. CEL does not see it: what is wrong with it is for `trainingrun.api.mistakes` to say."""

SIZES = ("hiddenUnits", "filters")
"""Parameters of the built-in networks that are lists of whole numbers, in text separated by commas."""


class MistakeError(ValueError):
    """A value that the API server cannot judge, and that cannot be used; the text says which, where, and the way out."""


def text_of(value: Any, *, name: str = "") -> str:
    """The text of a value; `name` is that of the network's parameter that has it.

    Text stays as it is. A list is JSON, but for the sizes of a built-in network's layers.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple) and name in SIZES:
        return ",".join(text_of(each) for each in value)
    if isinstance(value, float):
        return str(Number(value)) if value >= 0 else json.dumps(value)
    return json.dumps(value, ensure_ascii=False)


def own_text_of(value: Any) -> str:
    """The text of a value for a function of the user's: whatever it is read as there, it is the value again."""
    if isinstance(value, str) and value_of(value) == value:
        return value
    return json.dumps(value, ensure_ascii=False)


def value_of(text: str) -> Any:
    """The value that a text stands for: what JSON says of JSON, a list if there are commas, else the text itself."""
    try:
        return json.loads(text, parse_constant=_no_json)
    except ValueError:
        return [value_of(part.strip()) for part in text.split(",")] if "," in text else text


def _no_json(constant: str) -> NoReturn:
    """Python takes NaN and Infinity for JSON, which knows neither."""
    raise ValueError(constant)
