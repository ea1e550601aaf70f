"""What the API server does to an object before it stores it, by a CRD's own schema: defaults, types and rules.

So that a world in memory refuses what the real one refuses, and nothing else. `tests/schema/test_admission.py` asks both about
the same objects. JSON Schema is judged by `jsonschema`, CEL by `cel-python`: 150 rules written down a second time would drift.
"""

import copy
import pathlib
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any

import yaml
from jsonschema import Draft202012Validator, FormatChecker

from tests.crd.cel import Path, Rule, rule

CRDS = pathlib.Path(__file__).parent.parent.parent / "crds"
_OPEN = ("", "metadata")
"""Objects of which the API server knows more fields than the CRD says."""
_FORMATS = FormatChecker(formats=())

Schema = dict[str, Any]


class RefusedError(Exception):
    """The API server would not store this; the text says where and why."""


@_FORMATS.checks("date-time", raises=ValueError)
def _is_moment(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


class Crd:
    """One version of a CRD."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self._validator = Draft202012Validator(_plain(schema, name=""), format_checker=_FORMATS)

    @classmethod
    @cache
    def of(cls, plural: str) -> "Crd":
        """The CRD of the repository with this name."""
        crd = yaml.safe_load((CRDS / f"{plural}.yaml").read_text())
        (version,) = crd["spec"]["versions"]
        return cls(version["schema"]["openAPIV3Schema"])

    def admit(self, manifest: Schema, *, old: Schema | None = None) -> Schema:
        """The object as it would be stored, in the place of `old` if there is one. Raises RefusedError."""
        stored = self.defaulted(manifest)
        self.require_valid(stored)
        for path, broken in self.broken_rules(stored, old=old):
            raise RefusedError(f"{'.'.join(path)}: {broken.text}")
        return stored

    def defaulted(self, manifest: Schema) -> Schema:
        """The object with its defaults, valid or not."""
        stored = copy.deepcopy(manifest)
        _fill(stored, self.schema)
        return stored

    def require_valid(self, stored: Schema) -> None:
        """Raises RefusedError for what has not the types, bounds and forms of the schema, or a field that is not in it."""
        for error in self._validator.iter_errors(stored):
            raise RefusedError(f"{error.json_path}: {error.message[:500]}")
        for path, items, keys in _keyed(stored, self.schema, ()):
            known = [tuple(item.get(key) for key in keys) for item in items]
            if len(set(known)) < len(known):
                raise RefusedError(f"{'.'.join(path)}: two items have the same {keys}")

    def broken_rules(self, stored: Schema, *, old: Schema | None = None) -> Iterator[tuple[Path, Rule]]:
        """Where an object breaks which rules; the innermost come first."""
        return _broken(_as_cel_sees(stored, self.schema), _as_cel_sees(old, self.schema), self.schema, ())


def rules_of(schema: Schema) -> list[Rule]:
    """The rules of one object of the schema."""
    return [rule(found["rule"]) for found in schema.get("x-kubernetes-validations", ())]


def _broken(value: Any, old: Any, schema: Schema, path: Path) -> Iterator[tuple[Path, Rule]]:
    if isinstance(value, dict):
        before = old if isinstance(old, dict) else {}
        for name, field in schema.get("properties", {}).items():
            if name in value:
                yield from _broken(value[name], before.get(name), field, (*path, name))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _broken(item, None, schema.get("items", {}), (*path, str(number)))
    for each in rules_of(schema):
        if (old is not None or not each.is_about_changes) and not each.holds(value, old=old):
            yield path, each


def _as_cel_sees(value: Any, schema: Schema) -> Any:
    """The value, a number that is declared as one a double, however it is written."""
    if isinstance(value, dict):
        fields = schema.get("properties", {})
        return {name: _as_cel_sees(item, fields.get(name, {})) for name, item in value.items()}
    if isinstance(value, list):
        return [_as_cel_sees(item, schema.get("items", {})) for item in value]
    return float(value) if schema.get("type") == "number" and isinstance(value, int) else value


def _fill(value: Any, schema: Schema) -> None:
    """Put defaults where nothing stands, also into defaults."""
    if isinstance(value, dict):
        for name, field in schema.get("properties", {}).items():
            if name not in value and "default" in field:
                value[name] = copy.deepcopy(field["default"])
            if name in value:
                _fill(value[name], field)
    elif isinstance(value, list):
        for item in value:
            _fill(item, schema.get("items", {}))


def _keyed(value: Any, schema: Schema, path: Path) -> Iterator[tuple[Path, list[Any], list[str]]]:
    """The lists whose items have keys."""
    if isinstance(value, dict):
        for name, field in schema.get("properties", {}).items():
            if name in value:
                yield from _keyed(value[name], field, (*path, name))
    elif isinstance(value, list):
        if "x-kubernetes-list-map-keys" in schema:
            yield path, value, schema["x-kubernetes-list-map-keys"]
        for number, item in enumerate(value):
            yield from _keyed(item, schema.get("items", {}), (*path, str(number)))


def _plain(schema: Schema, *, name: str) -> Schema:
    """The schema as plain JSON Schema: fields that are not in it are refused, as the API server does when it is strict."""
    kept = {key: value for key, value in schema.items() if not key.startswith("x-kubernetes") and key != "default"}
    if "properties" in schema:
        kept["properties"] = {key: _plain(field, name=key) for key, field in schema["properties"].items()}
        kept["additionalProperties"] = name in _OPEN or "x-kubernetes-preserve-unknown-fields" in schema
    if "items" in schema:
        kept["items"] = _plain(schema["items"], name="items")
    if "pattern" in schema:
        kept["pattern"] = at_the_end(schema["pattern"])
    if schema.get("x-kubernetes-list-type") == "set":
        kept["uniqueItems"] = True
    for bound in ("minimum", "maximum"):
        exclusive = f"exclusive{bound.capitalize()}"
        if kept.pop(exclusive, False):
            kept[exclusive] = kept.pop(bound)
    if schema.get("type") == "integer":
        kept = {"minimum": -(2**63), "maximum": 2**63 - 1, **kept}
    return kept


def at_the_end(pattern: str) -> str:
    r"""The pattern for Python, in which `$` also matches before a newline at the end."""
    return pattern.replace("$", r"\Z")
