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
    [stamp(NOON), "2026-01-01T00:00:20", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "3000-01-01T00:00:00Z", "soon"]
)
ANYTHING = st.recursive(
    st.none() | NUMBERS | TEXTS | TIMES,
    lambda inner: st.lists(inner, max_size=30) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=8,
)


def shaped(schema: Any, definitions: Any) -> st.SearchStrategy[Any]:
    """Values as the schema wants them, or nearly so, or not at all."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        return st.one_of(*(shaped(each, definitions) for each in schema["anyOf"]))
    match schema.get("type"):
        case "object":
            fields = {name: shaped(each, definitions) | ANYTHING for name, each in schema.get("properties", {}).items()}
            needed = {name: fields.pop(name) for name in schema.get("required", ())}
            return st.fixed_dictionaries(needed, optional=fields)
        case "array":
            return st.lists(shaped(schema["items"], definitions), max_size=20)
        case "integer":
            return st.integers(0, 20) | NUMBERS
        case _:
            return TIMES if schema.get("format") == "date-time" else TEXTS


def said_by(model: Any, **known: Any) -> st.SearchStrategy[str]:
    """Texts that a hostile worker may send where this model is expected; most of them have these fields."""
    schema = model.model_json_schema(by_alias=True)
    told = shaped(schema, schema["$defs"])
    return st.one_of(
        told.map(lambda fields: json.dumps({**fields, **known})), told.map(json.dumps), ANYTHING.map(json.dumps), TEXTS
    )


REPORTS = said_by(ProgressReport, attempt=1, updatedAt=stamp(NOON))
RECORDS = said_by(FinalRecord, attempt=1, worker=0, exitCode=1)
