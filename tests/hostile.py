"""What a tenant's pods may say: texts as the contract wants them, or nearly so, or not at all."""

import json
from typing import Any

from hypothesis import strategies as st

from tests.builders import NOON, stamp
from trainingrun.contract import FinalRecord, ProgressReport

NUMBERS = st.sampled_from([0, -1, 2**31, 2**63, -(2**63) - 1, 10**30, 1e36, float("nan"), float("inf"), 0.5, True])
TEXTS = st.text(max_size=40) | st.sampled_from(
    ["", "A" * 63, "A" * 64, "x" * 5000, "Training", "Interrupted", "PeerLost", "\ud800", "\x1b[31m", "0.5", "1e36", "nan"]
)
TIMES = st.sampled_from(
    [stamp(NOON), "2026-11-24T12:00:20", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "3000-01-01T00:00:00Z"]
)
ANYTHING = st.recursive(
    st.none() | NUMBERS | TEXTS | TIMES | st.just("soon"),
    lambda inner: st.lists(inner, max_size=30) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=8,
)


DECIMALS = st.sampled_from(["0.5", "-3", "1e36", "-1e300", "1e400", "0" * 24])
INTEGERS = st.integers(0, 20) | st.sampled_from([2**31, 2**63, 10**30, -(10**15)])
"""More than 64 bits are an integer to JSON and to Python, and to no API server."""


def shaped(schema: Any, definitions: Any, *, odd: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Values of the types that the schema wants, of any size, number and time; `odd` are others in the place of any."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        return st.one_of(*(shaped(each, definitions, odd=odd) for each in schema["anyOf"]))
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema.get("type"):
        case "object":
            fields = {name: shaped(each, definitions, odd=odd) | odd for name, each in schema.get("properties", {}).items()}
            needed = {name: fields.pop(name) for name in schema.get("required", ())}
            return st.fixed_dictionaries(needed, optional=fields)
        case "array":
            return st.lists(shaped(schema["items"], definitions, odd=odd), max_size=20)
        case "integer":
            return INTEGERS
        case "null":
            return st.none()
        case _ if schema.get("format") == "date-time":
            return TIMES
        case _:
            return DECIMALS if schema.get("pattern", "").startswith("^-?[0-9]") else TEXTS


def said_by(model: Any, *, moment: str | None = None, **known: Any) -> st.SearchStrategy[str]:
    """Texts that a hostile worker may send where this model is expected; most of them have the fields that are known.

    A third has no value of a wrong type: a reader that takes a text as a whole or not at all gets to see those, too. `moment`
    is a field that even they leave to chance.
    """
    schema = model.model_json_schema(by_alias=True)
    formed, told = (shaped(schema, schema["$defs"], odd=odd) for odd in (st.nothing(), ANYTHING))
    varied = {name: value for name, value in known.items() if name != moment}
    return st.one_of(
        formed.map(lambda fields: json.dumps({**fields, **varied})),
        told.map(lambda fields: json.dumps({**fields, **known})),
        told.map(json.dumps) | ANYTHING.map(json.dumps) | TEXTS,
    )


REPORTS = said_by(ProgressReport, moment="updatedAt", attempt=1, updatedAt=stamp(NOON))
RECORDS = said_by(FinalRecord, attempt=1, worker=0, exitCode=1)
