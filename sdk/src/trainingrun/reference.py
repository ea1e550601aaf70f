"""The reference of the API as Markdown, made from the CRD: it says what the API server checks."""

import json
import re
from collections.abc import Iterator
from typing import Any

from trainingrun.api.base import AUTO_PATTERN, OBJECT_NAME, QUANTITY_PATTERN
from trainingrun.api.training import RATE_PATTERN
from trainingrun.crd import custom_resource_definition, preset_definition

Schema = dict[str, Any]

_HEAD = """# TrainingRun

`apiVersion: trainingrun.dev/v1alpha1`, `kind: TrainingRun`, short name `trun`: every field of the API, and what the API server
checks before it stores an object. `kubectl explain trainingrun.spec.workers` says the same in a terminal.
"""
_PRESET_HEAD = """# TrainingPreset

`apiVersion: trainingrun.dev/v1alpha1`, `kind: TrainingPreset`, short name `tpreset`, one for the whole cluster: every field,
and what the API server checks before it stores an object. [How to use presets](../how-to/presets.md).
"""
_TABLE_HEAD = "| field | type | default | values | description |\n|---|---|---|---|---|\n"
_BOUNDS = (
    ("minimum", "maximum", ""),
    ("minLength", "maxLength", " characters"),
    ("minItems", "maxItems", " items"),
    ("minProperties", "maxProperties", " entries"),
)
_WORDS = {
    AUTO_PATTERN: "`Auto`",
    RATE_PATTERN: "or `Auto`",
    QUANTITY_PATTERN: "a Kubernetes quantity",
    f"^{OBJECT_NAME}$": "a DNS subdomain",
}
"""What frequent patterns mean."""


def reference() -> str:
    """All fields of a run: path, type, default, values and description, and the rules that connect them with their words."""
    properties = _root(custom_resource_definition())
    # The API server refuses a description of metadata itself.
    sections = [_section("metadata", {"description": "As in every object of Kubernetes.", **properties["metadata"]})]
    for name in ("spec", "status"):
        sections += _sections(name, schema=properties[name])
    return "\n".join([_HEAD, *sections])


def preset_reference() -> str:
    """All fields of a preset, likewise."""
    return "\n".join([_PRESET_HEAD, *_sections("spec", schema=_root(preset_definition())["spec"])])


def _root(definition: Schema) -> Schema:
    """Schemas of the fields of an object that a CRD defines."""
    properties: Schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    return properties


def _sections(path: str, *, schema: Schema) -> Iterator[str]:
    """One section for an object's own fields, and one for each field that has fields itself."""
    blocks = {name: child for name, child in schema["properties"].items() if _fields(child)}
    yield _section(path, schema, own=True)
    for name, child in blocks.items():
        yield _section(f"{path}.{name}", child, level=3)


def _section(path: str, schema: Schema, *, level: int = 2, own: bool = False) -> str:
    """The table of an object's fields; `own` leaves out the fields of its fields."""
    parts = [f"{'#' * level} {path}\n", f"{_flowing(schema['description'])}\n"]
    parts.append(_TABLE_HEAD + "".join(_rows(path, schema, own=own)))
    rules = "".join(f"- {_sentence(rule)}\n" for rule in _rules(schema, own=own))
    if rules:
        parts.append(f"What is refused, in the words of the API server (… is a value of yours):\n\n{rules}")
    return "\n".join(parts)


def _rows(path: str, schema: Schema, *, own: bool) -> Iterator[str]:
    inside = f"{path}[]" if "items" in schema else path
    required = schema.get("items", schema).get("required", ())
    for name, child in _fields(schema).items():
        default = "required" if name in required else _default(child)
        cells = (f"`{inside}.{name}`", _type(child), default, _values(child), _flowing(child.get("description", "")))
        yield f"| {' | '.join(cells)} |\n"
        if not own:
            yield from _rows(f"{inside}.{name}", child, own=False)


def _fields(schema: Schema) -> Schema:
    """The fields of an object, or of the objects in a list."""
    fields: Schema = schema.get("items", schema).get("properties", {})
    return fields


def _type(schema: Schema) -> str:
    if schema.get("x-kubernetes-int-or-string"):
        return "integer or string"
    if "type" not in schema:
        return "number or string" if "minimum" in schema else "value of any kind"
    if schema["type"] == "array":
        return f"list of {_plural(_type(schema['items']))}"
    if "additionalProperties" in schema:
        return f"map of {_plural(_type(schema['additionalProperties']))}"
    return "time" if schema.get("format") == "date-time" else str(schema["type"])


def _plural(kind: str) -> str:
    first, _, rest = kind.partition(" ")
    return f"{first}s {rest}".rstrip()


def _default(schema: Schema) -> str:
    if "default" not in schema or _fields(schema):
        return ""
    return f"`{json.dumps(schema['default'])}`"


def _values(schema: Schema) -> str:
    """Enumeration, bounds and pattern in words."""
    found = [", ".join(f"`{_shown(value)}`" for value in schema["enum"])] if "enum" in schema else []
    for low, high, unit in _BOUNDS:
        if low in schema and high in schema:
            above, below = ("above " if schema.get("exclusiveMinimum") else ""), _until(schema)
            found.append(f"{above}{schema[low]} {below} {schema[high]}{unit}")
        elif high in schema:
            found.append(f"at most {schema[high]}{unit}")
        elif low in schema:
            found.append(f"{'above' if schema.get('exclusiveMinimum') else 'at least'} {schema[low]}{unit}")
    if "pattern" in schema:
        found.append(_WORDS.get(schema["pattern"], f"`{schema['pattern']}`"))
    return ", ".join(found)


def _until(schema: Schema) -> str:
    return "to below" if schema.get("exclusiveMaximum") else "to"


def _shown(value: object) -> str:
    """A value of an enumeration; a tab is a sign, and a bar ends no cell."""
    return str(value).replace("\t", "\\t").replace("|", "\\|")


def _rules(schema: Schema, *, own: bool) -> Iterator[Schema]:
    """The rules of an object and, unless only its `own` are asked for, of all that is in it."""
    yield from schema.get("items", schema).get("x-kubernetes-validations", ())
    if not own:
        for child in _fields(schema).values():
            yield from _rules(child, own=False)


def _sentence(rule: Schema) -> str:
    """The words of a refusal, with an ellipsis where a value will stand."""
    if "message" in rule:
        return _flowing(rule["message"])
    expression, _, _ = rule["messageExpression"].partition(".format([")
    parts = re.findall(r"'([^']*)'|self\.[\w.]+", expression)
    return _flowing("".join(re.sub("%[sd]", "…", literal) if literal else "…" for literal in parts))


def _flowing(text: str) -> str:
    """The text of a description as one line, its asterisks no emphasis and its angle brackets no tags."""
    return " ".join(text.split()).replace("*", "\\*").replace("<", "\\<")
