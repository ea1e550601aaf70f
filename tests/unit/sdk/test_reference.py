"""The generated reference: complete, in words, and readable as Markdown."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from trainingrun.crd import custom_resource_definition, preset_definition
from trainingrun.reference import preset_reference, reference

Schema = dict[str, Any]

TEXT = reference()
ROWS = [line for line in TEXT.splitlines() if line.startswith("| `")]


def fields(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """Every field of the CRD with its path."""
    if "items" in schema:
        yield from fields(schema["items"], f"{path}[]")
    for name, child in schema.get("properties", {}).items():
        below = f"{path}.{name}".lstrip(".")
        yield below, child
        yield from fields(child, below)


def of_users(definition: Schema) -> dict[str, Schema]:
    """The fields that the reference of a CRD is about."""
    root = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return {
        path: child for path, child in fields(root) if path.partition(".")[0] in ("metadata", "spec", "status") and "." in path
    }


KINDS = {"run": (custom_resource_definition(), TEXT), "preset": (preset_definition(), preset_reference())}


@pytest.mark.parametrize(("definition", "text"), KINDS.values(), ids=KINDS)
def test_every_field_has_one_row(definition: Schema, text: str) -> None:
    rows = [line.split("`")[1] for line in text.splitlines() if line.startswith("| `")]
    assert sorted(rows) == sorted(of_users(definition))


@pytest.mark.parametrize(("definition", "text"), KINDS.values(), ids=KINDS)
def test_every_field_is_described(definition: Schema, text: str) -> None:
    assert [path for path, child in of_users(definition).items() if not child.get("description")] == []


def test_nothing_in_a_row_ends_a_cell_too_early() -> None:
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in ROWS} == {6}


def test_nothing_is_taken_for_a_tag() -> None:
    assert r"model.parameters.\<name>" in TEXT
    assert not re.search(r"[^\\]<[a-z]", TEXT)


def test_no_rule_shows_its_expression() -> None:
    assert not re.search(r"self\.|format\(|%[sd]|\+ '", TEXT)


ROW_OF = {row.split("`")[1]: row for row in ROWS}

SAID = {
    "a default": ("spec.recovery.startTimeoutSeconds", "`600`"),
    "a required field": ("spec.workers.env[].name", "required"),
    "bounds": ("spec.workers.replicas", "1 to 256"),
    "values": ("spec.recovery.lostNode", "`Wait`, `Replace`"),
    "a list": ("spec.workers.tolerations", "list of objects | "),
    "a quantity": ("spec.workers.sharedMemory", "a Kubernetes quantity"),
    "no emphasis": ("spec.workers.env[].name", r"HOROVOD_\*, TRAININGRUN_\*"),
}


@pytest.mark.parametrize(("path", "words"), SAID.values(), ids=SAID)
def test_a_row_says_what_the_api_server_checks(path: str, words: str) -> None:
    assert words in ROW_OF[path]


RULES = [
    "- workers.env … needs exactly one of value and valueFrom: keep one and remove the other.",
    "- training.schedule.warmupEpochs … must be smaller than training.epochs ….",
    "- data.source needs exactly one of persistentVolumeClaim, uri and builtin: keep one and remove the others.",
]


@pytest.mark.parametrize("line", RULES)
def test_a_rule_is_there_with_the_words_of_its_refusal(line: str) -> None:
    assert line in TEXT.splitlines()
