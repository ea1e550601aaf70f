"""What the documentation shows is what the API server takes."""

import json
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.manifests import a_manifest
from tests.schema.applying import dry_run
from tools.kubectl import Kubectl
from trainingrun.api import IDXFiles, TrainingRunSpec

ROOT = Path(__file__).parent.parent.parent
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
DIGITS = ROOT / "examples" / "data" / "mnist-10k"
DATA = {"source": {"persistentVolumeClaim": {"claimName": "datasets"}}, "format": "IDX"}
OWN_APIS = re.compile(r"v1|(apps|batch|[a-z.]+\.k8s\.io)/v1")
TRUTH = re.compile(r"(?:[\[{,:]|^|-) *(y|n|yes|no|on|off) *(?:[\]},:#]|$)", re.IGNORECASE | re.MULTILINE)
"""Words that kubectl's YAML takes for true and false, and Python's not: they need quotes."""
FIELDS = {field.alias or name for name, field in TrainingRunSpec.model_fields.items()}


def shown() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each piece of YAML that shows fields of a TrainingRun, as spec, with its page and line."""
    for page in PAGES:
        text = page.read_text()
        for block in re.finditer(r"^```yaml\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
            line = text[: block.start()].count("\n") + 1
            for parsed in yaml.safe_load_all(textwrap.dedent(block[1])):
                spec = parsed.get("spec", {}) if parsed.get("kind", "TrainingRun") == "TrainingRun" else {}
                fields = spec or {name: value for name, value in parsed.items() if name in FIELDS and "kind" not in parsed}
                if fields:
                    yield f"{page.relative_to(ROOT)}:{line}", fields


def presets() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each TrainingPreset that a page shows, with its page and name."""
    for page in PAGES:
        for block in re.finditer(r"^```yaml\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE):
            for parsed in yaml.safe_load_all(textwrap.dedent(block[1])):
                if parsed.get("kind") == "TrainingPreset":
                    yield f"{page.relative_to(ROOT)}:{parsed['metadata']['name']}", parsed


def others() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each object of Kubernetes' own API that a page shows whole, with its page and name."""
    for page in PAGES:
        for block in re.finditer(r"^```yaml\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE):
            for parsed in yaml.safe_load_all(textwrap.dedent(block[1])):
                if OWN_APIS.fullmatch(parsed.get("apiVersion", "")) and "metadata" in parsed:
                    yield f"{page.relative_to(ROOT)}:{parsed['kind']} {parsed['metadata']['name']}", parsed


def on_the_digits() -> Iterator[tuple[str, IDXFiles]]:
    """Each run on the example digits: the page and line, or the example, and the files that it reads."""
    examples = ((path.name, parsed) for path in EXAMPLES for parsed in yaml.safe_load_all(path.read_text()))
    runs = ((name, parsed["spec"]) for name, parsed in examples if parsed["kind"] == "TrainingRun")
    for place, spec in (*shown(), *runs):
        data = spec.get("data", {})
        source = data.get("source", {})
        path = source.get("persistentVolumeClaim", {}).get("path", "") or source.get("uri", "").rpartition("/")[2]
        if path == DIGITS.name:
            yield place, IDXFiles.model_validate(data.get("idx", {}))


SHOWN = dict(shown())
ON_THE_DIGITS = dict(on_the_digits())
PRESETS = dict(presets())
OTHERS = dict(others())


def test_the_pages_show_something() -> None:
    assert {place.partition(":")[0] for place in SHOWN} >= {"README.md", "docs/how-to/tune.md", "docs/how-to/accept.md"}


@pytest.mark.parametrize("spec", SHOWN.values(), ids=SHOWN)
def test_what_a_page_shows_is_accepted(kubectl: Kubectl, spec: dict[str, Any]) -> None:
    changes = {"spec__data": DATA, **{f"spec__{field}": value for field, value in spec.items()}}
    dry_run(kubectl, a_manifest(**changes))


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_a_preset_that_a_page_shows_is_accepted(kubectl: Kubectl, preset: dict[str, Any]) -> None:
    dry_run(kubectl, preset)


@pytest.mark.parametrize("shown", OTHERS.values(), ids=OTHERS)
def test_another_object_that_a_page_shows_is_accepted(kubectl: Kubectl, shown: dict[str, Any]) -> None:
    metadata = {name: value for name, value in shown["metadata"].items() if name != "namespace"}  # which is not there
    dry_create = ("create", "--dry-run=server", "--validate=strict", "-f", "-")
    kubectl.run(*dry_create, stdin=json.dumps({**shown, "metadata": metadata}))


def test_no_page_or_example_has_a_word_that_kubectl_takes_for_a_truth_value() -> None:
    pages = {
        page.name: re.findall(r"^```yaml\n(.*?)^```|(`[^`\n]+: [^`\n]+`)", page.read_text(), re.DOTALL | re.MULTILINE)
        for page in PAGES
    }
    texts = {name: ["".join(found) for found in blocks] for name, blocks in pages.items()}
    texts |= {example.name: [example.read_text()] for example in EXAMPLES}
    assert {name: found for name, blocks in texts.items() if (found := TRUTH.findall("\n".join(blocks)))} == {}


def test_the_digits_are_trained_on_by_pages_and_examples() -> None:
    assert {place.partition(":")[0] for place in ON_THE_DIGITS} >= {"docs/how-to/object-storage.md", "mnist.yaml"}


@pytest.mark.parametrize("files", ON_THE_DIGITS.values(), ids=ON_THE_DIGITS)
def test_a_run_on_the_digits_names_files_that_are_there(files: IDXFiles) -> None:
    assert {files.images, files.labels} <= {file.name for file in DIGITS.iterdir()}
