"""The border: what others say, and what we write, made to fit a model's schema. Pure, and it never fails.

Two kinds of values pass here. What pods say (reports over HTTP, termination messages) is untrusted: anybody who may create a
run chooses the image that says it. And a status must be one that the CRD accepts, or the API server refuses it for ever and the
run is stuck. Both are clamped rather than refused as far as that makes sense: a text is cut, a list is shortened, a number is
moved to its nearest bound. What cannot be mended is left out: a field that may be absent, an item of a list, or else the whole
object.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from trainingrun.api.base import cut, in_utc

REPORT_BYTES = 64 * 1024
"""A report or record that is longer is none."""
LARGEST = 2**63 - 1
"""The API server stores integers in 64 bits."""
_CONTROLS = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""What a terminal would obey instead of showing it, but for tabs and ends of lines."""

Model = TypeVar("Model", bound=BaseModel)
Schema = Mapping[str, Any]


class _MisfitError(Exception):
    """A value that no clamping mends."""


def read(model: type[Model], text: str | bytes) -> Model | None:
    """The model that a JSON text from a pod stands for, within its bounds; None when it stands for none."""
    if len(text) > REPORT_BYTES:
        return None
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return fit(model, said)


def shown(text: str) -> str:
    """A text from a pod, without what a terminal would obey and what cannot be written."""
    return _CONTROLS.sub("", text.encode(errors="replace").decode())  # JSON can express half of a pair of surrogates


def fit(model: type[Model], wire: object) -> Model | None:
    """The model with these fields (camelCase, as on the wire), each within its bounds; None when a required one is missing."""
    schema, definitions = _schema(model)
    try:
        return model.model_validate(_fitted(wire, schema, definitions))
    except (_MisfitError, ValidationError, RecursionError):
        return None


@cache
def _schema(model: type[BaseModel]) -> tuple[Schema, Schema]:
    """The model's JSON schema, and the definitions that it refers to."""
    schema = model.model_json_schema(by_alias=True)
    return schema, schema.get("$defs", {})


def _fitted(value: object, schema: Schema, definitions: Schema) -> Any:
    """The value as the schema wants it; raises _MisfitError when nothing of it can stay."""
    if "$ref" in schema:
        return _fitted(value, definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "anyOf" in schema:
        return _first_of(value, schema["anyOf"], definitions)
    if "enum" in schema and value not in schema["enum"]:
        raise _MisfitError
    match schema.get("type"):
        case "object":
            return _object(value, schema, definitions)
        case "array":
            return _array(value, schema, definitions)
        case "string":
            return _string(value, schema)
        case "integer":
            return _integer(value, schema)
        case "boolean" if not isinstance(value, bool):
            raise _MisfitError
        case "null" if value is not None:
            raise _MisfitError
    return value


def _first_of(value: object, choices: Sequence[Schema], definitions: Schema) -> Any:
    for choice in choices:
        try:
            return _fitted(value, choice, definitions)
        except _MisfitError:
            continue
    raise _MisfitError


def _object(value: object, schema: Schema, definitions: Schema) -> dict[str, Any]:
    """The fields that the schema knows, but for those that are null: a default, or nothing, stands there then."""
    if not isinstance(value, Mapping):
        raise _MisfitError
    properties: Schema | None = schema.get("properties")
    if properties is None:  # any fields
        return dict(value)
    fields = {}
    for name, wanted in properties.items():
        if value.get(name) is None:
            continue
        try:
            fields[name] = _fitted(value[name], wanted, definitions)
        except _MisfitError:
            continue
    if not set(schema.get("required", ())) <= set(fields):
        raise _MisfitError
    return fields


def _array(value: object, schema: Schema, definitions: Schema) -> list[Any]:
    """The items that fit, each key once: the first ones, as many as there may be."""
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        raise _MisfitError
    most, keys = schema.get("maxItems", len(value)), schema.get("x-kubernetes-list-map-keys", ())
    items: list[Any] = []
    seen = set()
    for item in value[: 16 * most]:
        try:
            fitted = _fitted(item, schema.get("items", {}), definitions)
        except _MisfitError:
            continue
        key = tuple(fitted.get(name) for name in keys)
        if keys and key in seen:
            continue
        seen.add(key)
        items.append(fitted)
    return items[:most]


def _string(value: object, schema: Schema) -> str:
    """The text, cut where it is too long; characters that cannot be written are replaced."""
    if not isinstance(value, str):
        raise _MisfitError
    text = shown(value)
    if schema.get("format") == "date-time":
        return _moment(text)
    text = cut(text, schema.get("maxLength", len(text)))
    if len(text) < schema.get("minLength", 0) or not re.search(schema.get("pattern", ""), text):
        raise _MisfitError
    return text


def _moment(text: str) -> str:
    try:
        in_utc(datetime.fromisoformat(text))
    except ValueError:
        raise _MisfitError from None
    return text


def _integer(value: object, schema: Schema) -> int:
    """The whole number, moved to its nearest bound."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _MisfitError
    try:
        whole = int(value)
    except (ValueError, OverflowError):  # not a number, or infinite
        raise _MisfitError from None
    least: int = schema.get("minimum", -LARGEST)
    most: int = schema.get("maximum", LARGEST)
    return max(least, min(most, whole))
