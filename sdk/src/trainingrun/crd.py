"""The CustomResourceDefinitions, made from the API models.

The API server accepts structural schemas only: no `$ref`, no `anyOf` with null, no `additionalProperties: false`. The
functions here turn pydantic's JSON schema into that form and add what it cannot say (names, columns, object defaults).
"""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from trainingrun.api import GROUP, KIND, PLURAL, PRESET_KIND, PRESET_PLURAL, VERSION, TrainingPreset, TrainingRun

Schema = dict[str, Any]

RUN_NAME_LIMIT = 50
"""Longest run name: children are named `<run>-<attempt>`, pods add an index and a suffix, all within 63 characters."""

_COLUMNS = (
    ("Status", "string", ".status.columns.status", 0, "State of the run."),
    ("Stage", "string", ".status.stage", 0, "Stage the run is in."),
    ("Progress", "string", ".status.columns.progress", 0, "Done part of the whole run."),
    ("ETA", "string", ".status.columns.eta", 0, "Estimated time left of the whole run."),
    ("Metric", "string", ".status.columns.metric", 0, "Most telling metric."),
    ("Workers", "string", ".status.columns.workers", 0, "Ready and wanted workers."),
    ("Age", "date", ".metadata.creationTimestamp", 0, "Time since creation."),
    ("Attempt", "integer", ".status.attempt", 1, "Current attempt."),
    ("Reason", "string", '.status.conditions[?(@.type=="Succeeded")].reason', 1, "Why the run is in this state."),
)
_PRESET_COLUMNS = (
    ("Description", "string", ".spec.description", 0, "For whom and what it is."),
    ("Image", "string", ".spec.defaults.image", 0, "Trainer image."),
    ("Workers", "integer", ".spec.limits.mostWorkers", 0, "Most workers of a run."),
    ("Age", "date", ".metadata.creationTimestamp", 0, "Time since creation."),
)


def custom_resource_definition() -> Schema:
    """The CRD of TrainingRun as a plain object, ready to be written as YAML."""
    properties = _properties(TrainingRun)
    schema = {
        "type": "object",
        "description": (TrainingRun.__doc__ or "").strip(),
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object", "properties": {"name": _name_schema()}},
            "spec": properties["spec"],
            "status": properties["status"] | {"default": {"observedGeneration": -1}},
        },
    }
    version = _version(schema, _COLUMNS) | {"subresources": {"status": {}}}
    names = _names(KIND, plural=PLURAL, short="trun") | {"categories": ["all", "ml"]}
    return _definition(scope="Namespaced", names=names, version=version)


def preset_definition() -> Schema:
    """The CRD of TrainingPreset. It has no status: a preset is data."""
    schema = {
        "type": "object",
        "description": (TrainingPreset.__doc__ or "").strip(),
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": {key: value for key, value in _properties(TrainingPreset)["spec"].items() if key != "default"},
        },
    }
    names = _names(PRESET_KIND, plural=PRESET_PLURAL, short="tpreset") | {"categories": ["ml"]}
    return _definition(scope="Cluster", names=names, version=_version(schema, _PRESET_COLUMNS))


def _definition(*, scope: str, names: Schema, version: Schema) -> Schema:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{names['plural']}.{GROUP}", "labels": {"app.kubernetes.io/part-of": "trainingrun"}},
        "spec": {"group": GROUP, "scope": scope, "names": names, "versions": [version]},
    }


def _names(kind: str, *, plural: str, short: str) -> Schema:
    return {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": kind.lower(), "shortNames": [short]}


def _version(schema: Schema, columns: Iterable[tuple[str, str, str, int, str]]) -> Schema:
    return {
        "name": VERSION,
        "served": True,
        "storage": True,
        "additionalPrinterColumns": [_column(*column) for column in columns],
        "schema": {"openAPIV3Schema": schema},
    }


def _column(name: str, kind: str, path: str, priority: int, description: str) -> Schema:
    column: Schema = {"name": name, "type": kind, "jsonPath": path, "description": description}
    return column | ({"priority": priority} if priority else {})


def _properties(model: type[BaseModel]) -> Schema:
    """Structural schemas of the fields of an object."""
    generated = model.model_json_schema(by_alias=True)
    properties: Schema = _structural(generated, definitions=generated["$defs"])["properties"]
    return properties


def _name_schema() -> Schema:
    return {
        "type": "string",
        "maxLength": RUN_NAME_LIMIT,
        "pattern": "^[a-z]([-a-z0-9]*[a-z0-9])?$",
        "description": "Name of the run. It is short because the names of its pods begin with it.",
    }


def _structural(schema: Schema, *, definitions: dict[str, Schema], in_list: bool = False) -> Schema:
    """The same schema without references, nulls and titles, with the defaults of objects in full.

    Nothing in a list has a default: `kubectl apply` compares lists as a whole, and would see a change for ever.
    """
    schema = _without_null(_resolved(schema, definitions=definitions), definitions=definitions)
    made: Schema = {
        key: value for key, value in schema.items() if key not in {"title", "additionalProperties", "default", "$defs"}
    }
    if "properties" in schema:
        made["properties"] = {
            name: _structural(child, definitions=definitions, in_list=in_list) for name, child in schema["properties"].items()
        }
    if isinstance(schema.get("additionalProperties"), dict):
        made["additionalProperties"] = schema["additionalProperties"]
    if isinstance(schema.get("items"), dict):
        made["items"] = _structural(schema["items"], definitions=definitions, in_list=True)
    # A missing list already means an empty one.
    if schema.get("default") not in (None, []) and not in_list:
        made["default"] = _object_default(made) if schema.get("type") == "object" else schema["default"]
    return made | _exclusive_bounds(schema)


def _exclusive_bounds(schema: Schema) -> Schema:
    """Bounds that are no values themselves, as OpenAPI 3.0 says them: a bound, and that it is exclusive."""
    bounds = {bound: schema.get(f"exclusive{bound.capitalize()}") for bound in ("minimum", "maximum")}
    return {
        name: said
        for bound, value in bounds.items()
        if value is not None and not isinstance(value, bool)
        for name, said in ((bound, value), (f"exclusive{bound.capitalize()}", True))
    }


def _object_default(schema: Schema) -> Schema:
    """The default of an object whose fields all have one, in full: the API server checks rules on it as it is written."""
    return {name: child["default"] for name, child in schema["properties"].items() if "default" in child}


def _resolved(schema: Schema, *, definitions: dict[str, Schema]) -> Schema:
    """Replace a reference by what it refers to; what stands beside the reference wins."""
    while "$ref" in schema:
        target = definitions[schema["$ref"].rsplit("/", 1)[-1]]
        schema = target | {key: value for key, value in schema.items() if key != "$ref"}
    return schema


def _without_null(schema: Schema, *, definitions: dict[str, Schema]) -> Schema:
    """Turn `anyOf: [X, null]`, pydantic's way to say optional, into X."""
    choices = schema.get("anyOf", [])
    others = [choice for choice in choices if choice.get("type") != "null"]
    if len(others) != 1 or len(choices) == 1:
        return schema
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    return _resolved(others[0], definitions=definitions) | rest
