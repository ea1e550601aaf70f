"""What of the chart follows from other files: its version, the schema of its values, its roles, and its README."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from trainingrun.version import VERSION
from trainingrun_operator.choices import Choices
from trainingrun_operator.config import GangScheduler
from trainingrun_operator.pace import Pace, Timing

CHART = Path(__file__).parent.parent / "charts" / "trainingrun"
BASE = CHART.parent.parent / "manifests" / "base"
Raw = dict[str, Any]

OWN_VALUES = {
    "TRAINER_IMAGE": "trainer.image",
    "TRAINER_IMAGE_GPU": "trainer.gpuImage",
    "TRAINER_IMAGE_TPU": "trainer.tpuImage",
    "TRAINER_ARCHITECTURE": "trainer.architecture",
    "GANG_SCHEDULER": "gangScheduler",
    "WATCH_NAMESPACES": "watchNamespaces",
}
"""Settings that are values of their own, because more than the setting follows from them."""
FIXED = {"POD_NAME", "POD_NAMESPACE", "PORT"}
"""Settings that the chart's objects rest on."""

_NAME = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_REPOSITORY = r"([^\s@]+/)?[^\s@:/]+"
"""The name of an image without tag and digest, which are values of their own."""
_OBJECTS = {"type": "array", "items": {"type": "object"}}
_TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}


def schema() -> str:
    """The text of `values.schema.json`: the chart's own values, and the operator's settings as its model has them."""
    found = _schema_of(yaml.safe_load((CHART / "values.yaml").read_text()), own=_own())
    found["properties"]["global"] = {"type": "object"}  # of a chart that has this one as a part
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **found}, indent=2) + "\n"


def _schema_of(default: Any, *, own: dict[str, Raw], path: str = "") -> Raw:
    """What is said about the value itself, else what its default has: an object takes no value that it does not know."""
    if path in own:
        return own[path]
    match default:
        case bool():
            return {"type": "boolean"}
        case int():
            return {"type": "integer", "minimum": 0}
        case str():
            return {"type": "string"}
        case dict() if default:
            parts = {name: _schema_of(value, own=own, path=f"{path}.{name}".lstrip(".")) for name, value in default.items()}
            return {"type": "object", "properties": parts, "additionalProperties": False}
        case dict():
            return {"type": "object"}
    raise ValueError(f"values.yaml has {path}: {default!r}: say in tools/chart.py what it may be.")


def _own() -> dict[str, Raw]:
    """What values may be, by their paths, where the default does not tell."""
    architecture = Choices.model_json_schema()["properties"]["trainer_architecture"]["anyOf"][0]["pattern"]
    return {
        "name": {"type": "string", "pattern": "^[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?$"},
        "image.repository": {"type": "string", "pattern": f"^{_REPOSITORY}$"},
        "trainer.image.repository": {"type": "string", "pattern": f"^{_REPOSITORY}$"},
        **{f"trainer.{kind}Image.repository": {"type": "string", "pattern": f"^({_REPOSITORY})?$"} for kind in ("gpu", "tpu")},
        **{f"{image}.tag": {"type": "string", "pattern": r"^[\w.-]{0,128}$"} for image in ("image", *_images())},
        **{f"{image}.digest": {"type": "string", "pattern": "^(sha256:[0-9a-f]{64})?$"} for image in ("image", *_images())},
        "image.pullPolicy": {"enum": ["Always", "IfNotPresent", "Never"]},
        "trainer.architecture": {"type": "string", "pattern": f"^$|{architecture}"},
        "settings": _settings(),
        "watchNamespaces": {"type": "array", "items": {"type": "string", "pattern": f"^{_NAME}$"}, "uniqueItems": True},
        "gangScheduler": {"enum": ["", *map(str, GangScheduler)]},
        "networkPolicy.apiServerPorts": {"type": "array", "minItems": 1, "items": _whole(1, 65535)},
        "serviceMonitor.interval": {"type": "string", "pattern": "^([0-9]+(ms|s|m|h))+$"},
        **dict.fromkeys(("serviceMonitor.labels", "prometheusRule.labels", "dashboard.labels"), _TEXTS),
        **dict.fromkeys(("labels", "annotations", "podLabels", "podAnnotations", "serviceAccount.annotations"), _TEXTS),
        "nodeSelector": _TEXTS,
        "presets": {"type": "object", "propertyNames": {"pattern": f"^{_NAME}$"}, "additionalProperties": {"type": "object"}},
        "resources": {"type": "object"},
        "imagePullSecrets": {"type": "array", "items": {"type": "object", "required": ["name"]}},
        **dict.fromkeys(("tolerations", "topologySpreadConstraints"), _OBJECTS),
    }


def _images() -> list[str]:
    return [path for setting, path in OWN_VALUES.items() if setting.startswith("TRAINER_IMAGE")]


def _whole(least: int, most: int) -> Raw:
    return {"type": "integer", "minimum": least, "maximum": most}


def _settings() -> Raw:
    """The operator's settings by the names of their variables, but those that are the chart's."""
    fields = {name: found for kind in (Choices, Pace, Timing) for name, found in kind.model_json_schema()["properties"].items()}
    variables = {name.upper(): _plain(found) for name, found in fields.items()}
    left = {name: found for name, found in variables.items() if name not in {*OWN_VALUES, *FIXED}}
    return {"type": "object", "properties": left, "additionalProperties": False}


def _plain(found: Raw) -> Raw:
    """The schema of a field without what is only for our own reference."""
    return {word: value for word, value in found.items() if word not in {"title", "values", "without"}}


def roles() -> str:
    """The rules of all roles of `manifests/base`, for the chart's templates: the operator's by name, and what `people` have."""
    operator = {_key(found): found["rules"] for found in _documents("rbac.yaml") if "rules" in found}
    people = {
        found["metadata"]["name"]: {"labels": found["metadata"]["labels"], "rules": found["rules"]}
        for found in _documents("roles.yaml")
    }
    note = "# Generated by `make generate` from manifests/base. Do not edit.\n"
    return note + yaml.safe_dump({**operator, "people": people}, sort_keys=False, width=120)


def _key(role: Raw) -> str:
    return "lease" if role["kind"] == "Role" else str(role["metadata"]["name"])


def _documents(name: str) -> Iterator[Raw]:
    yield from yaml.safe_load_all((BASE / name).read_text())


def metadata() -> str:
    """The text of `Chart.yaml`, with the version that all has."""
    return _METADATA.format(version=VERSION)


def readme(folder: Path = CHART) -> str:
    """The text of a chart's README: a row for each value of its `values.yaml`, from the comment above it."""
    rows = [f"| `{path}` | {f'`{default}`' if default else ''} | {meaning} |" for path, default, meaning in _rows(folder)]
    return "\n".join([_README, "| value | default | meaning |", "|---|---|---|", *rows, ""])


_METADATA = """\
# Generated by `make generate` from tools/chart.py and the version of all. Do not edit.
apiVersion: v2
name: trainingrun
description: Distributed training with TensorFlow and Horovod as one object, TrainingRun, from data to an accepted model.
type: application
version: {version}
appVersion: {version}
kubeVersion: ">=1.30.0-0"
keywords: [training, tensorflow, horovod, gang, operator]
annotations:
  artifacthub.io/license: Apache-2.0
  artifacthub.io/operator: "true"
"""
_README = """\
<!-- Generated by `make generate` from values.yaml. Do not edit. -->
# The chart of the TrainingRun operator

```
helm install trainingrun charts/trainingrun --namespace trainingrun-system --create-namespace --wait \\
  --set image.repository=registry.example/team/trainingrun-operator \\
  --set trainer.image.repository=registry.example/team/trainingrun-trainer
```

How to install, change, upgrade and remove it is in `docs/how-to/install.md`, the operator's settings in
`docs/reference/operator.md`. A value that is wrong or unknown is refused by its name (`values.schema.json`).

## Values
"""


def _rows(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Path, default and meaning of each value that a comment describes."""
    parents: list[str] = []
    comment: list[str] = []
    for line in (folder / "values.yaml").read_text().splitlines():
        if found := re.fullmatch(r" *# ?(.*)", line):
            comment.append(found[1])
        elif found := re.fullmatch(r"( *)(\w+): ?(.*)", line):
            parents = [*parents[: len(found[1]) // 2], found[2]]
            if comment:
                yield ".".join(parents), found[3], " ".join(comment)
            comment = []
        elif not line:
            comment = []
