"""What `kubectl explain` says of a field is more than its name, and shows an example where anything might stand."""

from collections.abc import Iterator
from typing import Any

import pytest

from trainingrun.crd import custom_resource_definition, preset_definition

Schema = dict[str, Any]
SHORTEST = {"spec": 20, "status": 14}
"""Characters: shorter says no more than the name of the field."""


def fields(path: str, schema: Schema) -> Iterator[tuple[str, Schema]]:
    """The fields below a path, those of objects in lists as well."""
    for name, field in schema.get("items", schema).get("properties", {}).items():
        yield f"{path}.{name}", field
        yield from fields(f"{path}.{name}", field)


def every_field(definition: Schema) -> dict[str, Schema]:
    parts = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    return {path: field for part in SHORTEST if part in parts for path, field in fields(part, parts[part])}


def is_free(schema: Schema) -> bool:
    """Whether anything might stand there: a text, a decimal number or a value of any kind."""
    return schema.get("type") in (None, "string", "number") and "enum" not in schema and schema.get("format") is None


CRDS = pytest.mark.parametrize("definition", [custom_resource_definition(), preset_definition()], ids=["run", "preset"])


@CRDS
def test_a_description_says_more_than_the_name(definition: Schema) -> None:
    short = {
        path: field.get("description", "")
        for path, field in every_field(definition).items()
        if len(field.get("description", "")) < SHORTEST[path.partition(".")[0]]
    }
    assert short == {}


@CRDS
def test_what_may_be_anything_has_an_example(definition: Schema) -> None:
    found = every_field(definition).items()
    without = [
        path for path, field in found if path.startswith("spec") and is_free(field) and "example" not in field["description"]
    ]
    assert without == []


@CRDS
def test_a_number_says_its_bounds(definition: Schema) -> None:
    numbers = {path: field for path, field in every_field(definition).items() if field.get("type") == "number"}
    judged_by_rules = "spec.model.parameters."
    unbounded = [path for path, field in numbers.items() if not {"minimum", "maximum"} <= field.keys()]
    assert [path for path in unbounded if not path.startswith(judged_by_rules)] == []
