"""From what people write (YAML, Python values, `--set a.b=c`) to what the API server takes. Pure but for reading a file."""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic.alias_generators import to_camel

from trainingrun.api import TrainingRun
from trainingrun.client.errors import UsageError
from trainingrun.client.port import RUN, Object

_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def read(file: str | Path) -> list[Object]:
    """All TrainingRuns of a file.

    Raises UsageError when it cannot be read, is no YAML, or holds anything else.
    """
    try:
        return parse(Path(file).read_text(encoding="utf-8"), where=str(file))
    except (OSError, UnicodeDecodeError) as problem:
        raise UsageError(f"{file} cannot be read: {problem}.") from problem


def parse(text: str, *, where: str) -> list[Object]:
    """All TrainingRuns of a text; `where` is named in errors. Raises UsageError as `read` does."""
    try:
        found = [each for each in yaml.safe_load_all(text) if each is not None]
    except yaml.YAMLError as problem:
        raise UsageError(f"{where} is no YAML: {' '.join(str(problem).split())}.") from problem
    for each in found:
        if not isinstance(each, dict) or each.get("kind") != RUN.name:
            kind = each.get("kind") if isinstance(each, dict) else type(each).__name__
            raise UsageError(
                f"{where} holds {kind}, but only kind {RUN.name} is understood here: kubectl apply takes the rest."
            )
        if not isinstance(each.get("metadata"), dict) or not each["metadata"].get("name"):
            raise UsageError(f"A {RUN.name} of {where} has no metadata.name: give it one.")
    if not found:
        raise UsageError(f"{where} holds no {RUN.name}.")
    return found


def made(name: str, *, preset: str | None = None, **spec: Any) -> Object:
    """A manifest of Python values, with the names of the API or Python's (`batch_size`), and numbers as numbers."""
    said = {"preset": preset, **spec} if preset is not None else spec
    return {
        "apiVersion": RUN.api_version,
        "kind": RUN.name,
        "metadata": {"name": name},
        "spec": wire_form(said, schema=spec_schema()),
    }


@cache
def spec_schema() -> Object:
    """The schema of `spec`, as this release's CRD has it."""
    from trainingrun.crd import custom_resource_definition  # a tenth of a second that only those pay who write

    versions = custom_resource_definition()["spec"]["versions"]
    found: Object = versions[0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    return found


def wire_form(value: Any, *, schema: Object) -> Any:
    """A value as the API server takes it: names in camelCase where they are fields, and numbers as the schema has them."""
    if hasattr(value, "model_dump"):
        value = value.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if isinstance(value, Mapping):
        fields, each = schema.get("properties", {}), schema.get("additionalProperties")
        rest = each if isinstance(each, dict) else {}
        named = {str(key): key if key in fields or not fields else to_camel(str(key)) for key in value}
        return {named[str(key)]: wire_form(held, schema=fields.get(named[str(key)], rest)) for key, held in value.items()}
    if isinstance(value, (list, tuple)):
        return [wire_form(each, schema=schema.get("items", {})) for each in value]
    return _scalar(value, wanted=schema.get("type"))


def _scalar(value: Any, *, wanted: object) -> Any:
    if wanted == "string" and isinstance(value, int | float) and not isinstance(value, bool):
        return decimal_text(value)
    if wanted == "number" and isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value


def decimal_text(value: float) -> str:
    """A number as the API writes it in text: `0.001`, `1e-07`, `20`."""
    return f"{int(value)}" if value == int(value) and abs(value) < 1e15 else repr(value).replace("e+", "e")


def changed(assignments: Iterable[str]) -> Object:
    """A merge patch of `spec` from texts such as `spec.training.epochs=30`; the leading `spec.` may be left out.

    The value is YAML: `30`, `true`, `[a, b]`; `null` removes the field. Raises UsageError for a text that is no assignment.
    """
    spec: Object = {}
    for text in assignments:
        path, is_given, value = text.partition("=")
        fields = path.strip().removeprefix("spec.").split(".")
        if not is_given or not all(fields):
            raise UsageError(f"{text!r} is no assignment: write FIELD=VALUE, for example --set training.epochs=30.")
        target = spec
        for field in fields[:-1]:
            target = target.setdefault(field, {})
            if not isinstance(target, dict):
                raise UsageError(f"{text!r} sets a field below one that another --set has given a value.")
        try:
            target[fields[-1]] = yaml.safe_load(value)
        except yaml.YAMLError as problem:
            raise UsageError(f"{text!r} has no value that is YAML: {' '.join(str(problem).split())}.") from problem
    patch: Object = wire_form(spec, schema=spec_schema())
    return patch


def without_server_fields(found: Object) -> Object:
    """A run as one keeps it in Git: what the API server and the operator have added is gone."""
    metadata = found["metadata"]
    annotations = {name: value for name, value in metadata.get("annotations", {}).items() if name != _APPLIED}
    kept = {name: metadata[name] for name in ("name", "namespace", "labels") if metadata.get(name)}
    return {
        "apiVersion": RUN.api_version,
        "kind": RUN.name,
        "metadata": {**kept, **({"annotations": annotations} if annotations else {})},
        "spec": found["spec"],
    }


def to_yaml(found: Object) -> str:
    """An object as YAML, its fields in their order."""
    text: str = yaml.safe_dump(found, sort_keys=False, allow_unicode=True, width=120)
    return text


def understood(found: Object) -> TrainingRun:
    """A run as the API server returned it.

    Raises UsageError for one that this release does not know: it was written by a newer one.
    """
    try:
        return TrainingRun.parse(found)
    except ValidationError as problem:
        first = problem.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        name = found.get("metadata", {}).get("name", "")
        raise UsageError(
            f"This release does not understand {where} of the run {name} ({first['msg']}): upgrade trainingrun, "
            "`kubectl trainingrun version` shows what the cluster has."
        ) from problem
