"""The contract stays readable both ways: what a version could read never changes, and what is newer says so.

`contracts/<version>` is what that version read and wrote: never brought up to date. What `fields` returns when a new version is
made is its `fields.txt`.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ValidationError

from trainingrun.api import Training
from trainingrun.api.base import Number, to_sparse_wire
from trainingrun.contract import AttemptConfig, FinalRecord, ProgressReport
from trainingrun.contract_version import CONTRACT, MeantBefore, Need, Since, heard, meant_before, models_in, version_needed

CONTRACTS = Path(__file__).parent / "contracts"
KEPT = (
    *("type", "enum", "const", "default", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    *("minLength", "maxLength", "minItems", "maxItems"),
)
Schema = dict[str, Any]


def fields() -> set[str]:
    """Every field of a configuration, and what may stand in it, a line each: decimal numbers are texts there."""
    schema = AttemptConfig.model_json_schema(by_alias=True, mode="serialization")
    definitions = {name: _as_it_is_read(name, definition) for name, definition in schema["$defs"].items()}
    return set(_lines(schema, definitions, path="", required=True))


def _as_it_is_read(name: str, definition: Schema) -> Schema:
    """The schema of a model, where a default is what a configuration means that does not say the field."""
    model = next((each for each in _allmodels_in(AttemptConfig) if each.__name__ == name), None)
    properties = dict(definition.get("properties", {}))
    for field_name, field in model.model_fields.items() if model is not None else ():
        alias, before, default = field.alias or field_name, meant_before(field), field.default
        if before is not None:
            properties[alias] = properties[alias] | {"default": before.value}
        elif isinstance(default, BaseModel) and (meant := heard(type(default), {})):
            read = type(default).model_validate(meant).model_dump(mode="json", by_alias=True)
            properties[alias] = properties[alias] | {"default": read}
    return definition | ({"properties": properties} if properties else {})


def _allmodels_in(model: type[BaseModel]) -> set[type[BaseModel]]:
    inner = {each for field in model.model_fields.values() for each in models_in(field.annotation)}
    return inner | {each for one in inner for each in _allmodels_in(one)}


def _lines(schema: Schema, definitions: Schema, *, path: str, required: bool) -> Iterator[str]:
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rsplit("/", 1)[1]] | {key: schema[key] for key in schema if key != "$ref"}
    kept = {key: schema[key] for key in KEPT if key in schema} | ({"required": True} if required else {})
    if "pattern" in json.dumps(schema):
        kept.pop("maximum", None)  # of a number, for the API server alone: see `up_to`
    if "default" in kept:
        kept["default"] = _told(kept["default"], schema)
    yield f"{path} {json.dumps(kept, sort_keys=True)}"
    needed = schema.get("required", ())
    for name, child in schema.get("properties", {}).items():
        yield from _lines(child, definitions, path=f"{path}.{name}".lstrip("."), required=name in needed)
    if "items" in schema:
        yield from _lines(schema["items"], definitions, path=f"{path}[]", required=False)
    for choice in schema.get("anyOf", ()):
        yield from _lines(choice, definitions, path=path, required=False) if choice.get("type") != "null" else ()


def _told(default: Any, schema: Schema) -> Any:
    """A default as a configuration would say it."""
    if isinstance(default, list):
        return [_told(each, schema["items"]) for each in default]
    if isinstance(default, int | float) and schema.get("type") == "string":
        return str(Number(default))
    return default


def frozen(version: int) -> set[str]:
    return set((CONTRACTS / str(version) / "fields.txt").read_text().splitlines())


def by_path(lines: set[str]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        path, _, what = line.partition(" ")
        found.setdefault(path, []).append(json.loads(what))
    return found


def mark_of(path: str) -> int:
    """The version that a field is marked with, or the field that it is in; 1 without one."""
    model: type[BaseModel] | None = AttemptConfig
    newest = 1
    for name in path.replace("[]", "").split("."):
        field = next(each for key, each in (model.model_fields if model else {}).items() if name in (each.alias, key))
        newest = max([newest, *(mark.version for mark in field.metadata if isinstance(mark, Since))])
        model = next(models_in(field.annotation), None)
    return newest


VERSIONS = sorted(int(each.name) for each in CONTRACTS.iterdir())


def test_every_version_is_on_record() -> None:
    assert list(range(1, CONTRACT + 1)) == VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_what_an_earlier_image_could_be_told_means_the_same(version: int) -> None:
    now = by_path(fields())
    for path, known in by_path(frozen(version)).items():
        assert path in now, f"{path} has gone"
        for what in ("default", "required"):
            assert [each[what] for each in known if what in each] == [each[what] for each in now[path] if what in each], path


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_newer_is_marked(version: int) -> None:
    newer = {line.partition(" ")[0] for line in fields() - frozen(version)}
    assert [path for path in newer if mark_of(path) <= version] == []


@pytest.mark.parametrize("version", VERSIONS)
def test_what_an_earlier_release_wrote_is_read(version: int) -> None:
    folder = CONTRACTS / str(version)
    config = AttemptConfig.model_validate_json((folder / "config.json").read_bytes())
    assert (config.replicas, config.contract_version) == (2, version)
    assert FinalRecord.model_validate_json((folder / "record.json").read_bytes()).contract_version == version
    assert ProgressReport.model_validate_json((folder / "report.json").read_bytes()).contract_version == version


@pytest.mark.parametrize("version", VERSIONS)
def test_an_earlier_image_knows_every_field_of_a_configuration_that_says_so(version: int) -> None:
    config = AttemptConfig.model_validate_json((CONTRACTS / str(version) / "config.json").read_bytes())
    assert version_needed(config).version <= version
    known = by_path(frozen(version))
    assert [path for path in _paths(to_sparse_wire(config)) if path not in known] == []


def _paths(wire: Any, path: str = "") -> Iterator[str]:
    if isinstance(wire, dict):
        for name, value in wire.items():
            yield from _paths(value, f"{path}.{name}".lstrip("."))
    elif isinstance(wire, list):
        for value in wire:
            yield from _paths(value, f"{path}[]")
    else:
        yield path


def test_defaults_are_not_written_and_nothing_is_lost_by_that() -> None:
    config = AttemptConfig.model_validate_json((CONTRACTS / "1" / "config.json").read_bytes())
    sparse = to_sparse_wire(config)
    assert AttemptConfig.model_validate(sparse) == config
    assert "contractVersion" not in sparse
    assert "precision" not in sparse["training"]


class Later(Training):
    """`spec.training` of a later release."""

    placement: Annotated[str | None, Since(2)] = None
    order: Annotated[str, Since(3, values=("Sorted",))] = "Shuffled"
    pace: Annotated[str, Since(3, values=("Even",)), MeantBefore("Uneven")] = "Even"


class LaterConfig(AttemptConfig):
    training: Later


def later(**changes: Any) -> LaterConfig:
    wire = json.loads((CONTRACTS / "1" / "config.json").read_bytes())
    return LaterConfig.model_validate({**wire, "training": {**wire["training"], **changes}})


@pytest.mark.parametrize(
    ("changes", "need"),
    [
        ({}, Need(1, "")),
        ({"placement": "Near"}, Need(2, "training.placement")),
        ({"order": "Reversed"}, Need(1, "")),
        ({"placement": "Near", "order": "Sorted"}, Need(3, "training.order")),
        ({"pace": "Even"}, Need(3, "training.pace", instead="Uneven")),
        ({"pace": "Uneven"}, Need(1, "")),
    ],
    ids=["nothing new", "a new field", "a value that was there", "a new value", "a new default", "what the default was"],
)
def test_a_configuration_needs_the_version_of_the_newest_that_it_says(changes: dict[str, str], need: Need) -> None:
    assert version_needed(later(**changes)) == need


@pytest.mark.parametrize(
    ("folder", "version"),
    [("train", 1), ("a/b.c/d-e", 1), ("", 1), ("two words", 2), ("été", 2), ("a (copy)/b", 2)],
)
def test_a_text_that_could_be_said_before_needs_no_newer_version(folder: str, version: int) -> None:
    wire = json.loads((CONTRACTS / "1" / "config.json").read_bytes())
    data = {"source": {"persistentVolumeClaim": {"claimName": "d"}}, "format": "ImageFolder", "imageFolder": {"folder": folder}}
    need = version_needed(AttemptConfig.model_validate({**wire, "data": data}))
    assert need == Need(version, "data.imageFolder.folder" if version > 1 else "")


@pytest.mark.parametrize(
    ("changes", "version"),
    [({}, 1), ({"damaged": "Refuse"}, 1), ({"damaged": "Skip"}, 2), ({"damaged": "Skip", "maximumDamaged": 5}, 2)],
)
def test_to_leave_out_what_is_damaged_is_newer(changes: dict[str, Any], version: int) -> None:
    wire = json.loads((CONTRACTS / "1" / "config.json").read_bytes())
    data = {"source": {"persistentVolumeClaim": {"claimName": "d"}}, "format": "ImageFolder", **changes}
    assert version_needed(AttemptConfig.model_validate({**wire, "data": data})).version == version


def test_a_default_that_follows_from_another_field_is_one() -> None:
    wire = json.loads((CONTRACTS / "1" / "config.json").read_bytes())
    objective = {"metric": "val_loss", "goal": "Minimize"}
    assert version_needed(AttemptConfig.model_validate({**wire, "tuning": {**wire["tuning"], "objective": objective}})) == Need(
        1, ""
    )


def test_a_new_field_that_nobody_uses_is_not_written() -> None:
    assert AttemptConfig.model_validate(to_sparse_wire(later())).training.epochs == 10
    with pytest.raises(ValidationError, match="placement"):
        AttemptConfig.model_validate(to_sparse_wire(later(placement="Near")))


@pytest.mark.parametrize(
    ("pace", "written"), [(None, {"pace": "Even"}), ("Even", {"pace": "Even"}), ("Uneven", {}), ("Other", {"pace": "Other"})]
)
def test_a_default_that_is_newer_is_written_and_the_one_before_is_not(pace: str | None, written: dict[str, str]) -> None:
    config = later().model_copy(update={"training": Later.model_validate({} if pace is None else {"pace": pace})})
    sparse = to_sparse_wire(config)
    assert {name: value for name, value in sparse["training"].items() if name == "pace"} == written
    assert LaterConfig.model_validate(sparse) == config
    assert LaterConfig.model_validate_json(json.dumps(sparse)) == config


@pytest.mark.parametrize("training", [{}, {"schedule": {}}, {"schedule": {"type": "Cosine"}}])
def test_what_a_configuration_does_not_say_means_what_it_meant_to_the_first_image(training: dict[str, Any]) -> None:
    wire = json.loads((CONTRACTS / "1" / "config.json").read_bytes())
    assert AttemptConfig.model_validate({**wire, "training": training}).training.schedule.scaling == "Linear"
    assert Training.model_validate(training).schedule.scaling == "Auto"


def test_the_rules_for_learning_rates_that_came_with_version_2_are_not_an_older_images() -> None:
    config = AttemptConfig.model_validate_json((CONTRACTS / "1" / "config.json").read_bytes())
    today = config.model_copy(update={"training": Training()})
    assert version_needed(today) == Need(2, "training.schedule.scaling", instead="Linear")
    assert AttemptConfig.model_validate(to_sparse_wire(today)) == today
    as_before = Training.model_validate({"schedule": {"scaling": "Linear"}})
    assert version_needed(config.model_copy(update={"training": as_before})) == Need(1, "")
