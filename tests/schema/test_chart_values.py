"""Values of the chart: what each brings, and that none is taken which nobody understands."""

import json
import re
import shlex
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from images.recipe import ROOT
from tests.helm.objects import Raw, of_chart
from tests.helm.program import CHART, Helm, HelmError
from tests.helm.wishes import NAMESPACE, rendered
from tools.chart import FIXED, OWN_VALUES
from tools.install import OPERATOR
from tools.kubectl import Kubectl
from trainingrun_operator.choices import Choices
from trainingrun_operator.pace import Pace, Timing


def shown() -> Iterator[tuple[str, list[str]]]:
    """What each page that shows how Helm installs or upgrades sets, by page and command."""
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), CHART / "README.md"):
        text = page.read_text().replace("\\\n", " ")
        for command in re.findall(r"^ *helm (?:install|upgrade) trainingrun charts/trainingrun .*$", text, re.MULTILINE):
            words = shlex.split(command)
            chosen = [words[place : place + 2] for place, word in enumerate(words) if word == "--set"]
            yield f"{page.relative_to(ROOT)}: {command}", [word for pair in chosen for word in pair]


SHOWN = dict(shown())


def test_pages_show_how_helm_installs() -> None:
    assert {place.partition(":")[0] for place in SHOWN} >= {"README.md", "docs/how-to/install.md", "docs/how-to/kueue.md"}


@pytest.mark.parametrize("options", SHOWN.values(), ids=SHOWN)
def test_what_a_page_sets_are_values_of_the_chart(helm: Helm, options: list[str]) -> None:
    assert options
    helm.run("template", "trainingrun", str(CHART), *options)


WATCHING = {
    "alerts.yaml": {"groups": [{"name": "runs", "rules": [{"alert": "Many", "expr": "runs > 1", "for": "{{ $value }}"}]}]},
    "board.json": {"title": "{{namespace}}", "panels": []},
    "kube-state-metrics.yaml": {"kind": "CustomResourceStateMetrics", "spec": {}},
}
"""Files beside the templates, with the braces that Prometheus and Grafana fill in, and Helm must not."""


def test_alerts_board_and_metrics_of_runs_come_as_they_are_written_and_only_where_asked_for(helm: Helm, tmp_path: Path) -> None:
    copied = tmp_path / "trainingrun"
    shutil.copytree(CHART, copied)
    for name, content in WATCHING.items():
        (copied / "files" / name).write_text(json.dumps(content))
    asked = {
        "prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}},
        "dashboard": {"enabled": True},
        "kubeStateMetrics": {"enabled": True},
    }
    found = of_chart(helm.run("template", "trainingrun", str(copied), values=asked))
    assert found.keys() - of_chart(helm.run("template", "trainingrun", str(copied))).keys() == {
        ("PrometheusRule", "default", OPERATOR),
        ("ConfigMap", "default", f"{OPERATOR}-board"),
        ("ConfigMap", "default", f"{OPERATOR}-kube-state-metrics"),
    }
    rule = found["PrometheusRule", "default", OPERATOR]
    assert (rule["spec"], rule["metadata"]["labels"]) == (WATCHING["alerts.yaml"], {"release": "prometheus"})
    board = found["ConfigMap", "default", f"{OPERATOR}-board"]
    assert json.loads(board["data"]["trainingrun.json"]) == WATCHING["board.json"]
    config = found["ConfigMap", "default", f"{OPERATOR}-kube-state-metrics"]
    assert yaml.safe_load(config["data"]["config.yaml"]) == WATCHING["kube-state-metrics.yaml"]


def test_definitions_stay_unless_somebody_says_otherwise(helm: Helm) -> None:
    def policies(values: Mapping[str, Any]) -> list[str | None]:
        printed = helm.run("template", "trainingrun", str(CHART), values=values)
        definitions = [
            found for found in yaml.load_all(printed, yaml.CSafeLoader) if found and found["kind"] == "CustomResourceDefinition"
        ]
        return [found["metadata"].get("annotations", {}).get("helm.sh/resource-policy") for found in definitions]

    assert policies({}) == ["keep", "keep"]
    assert policies({"crds": {"keep": False}}) == [None, None]
    assert policies({"crds": {"enabled": False}}) == []


WRONG = {
    "a scheduler that is none": ({"gangScheduler": "Slurm"}, "/gangScheduler", "'Volcano'"),
    "a setting that is none": ({"settings": {"RESYNC": 1}}, "/settings", "'RESYNC'"),
    "a setting out of bounds": ({"settings": {"RESYNC_SECONDS": 0}}, "/settings/RESYNC_SECONDS", "minimum"),
    "a setting of the wrong kind": ({"settings": {"RESYNC_SECONDS": "soon"}}, "/settings/RESYNC_SECONDS", "number"),
    "a user that is root": ({"settings": {"WORKER_USER": 0}}, "/settings/WORKER_USER", "minimum"),
    "a setting that is a value": ({"settings": {"TRAINER_IMAGE": "a:1"}}, "/settings", "'TRAINER_IMAGE'"),
    "a value that is none": ({"replica": 3}, "''", "'replica'"),
    "a tag that is a number": ({"image": {"tag": 1.0}}, "/image/tag", "string"),
    "a tag in the repository": ({"image": {"repository": "operator:1"}}, "/image/repository", "pattern"),
    "half a digest": ({"trainer": {"image": {"digest": "sha256:12"}}}, "/trainer/image/digest", "pattern"),
    "a namespace that is none": ({"watchNamespaces": ["team_a"]}, "/watchNamespaces/0", "pattern"),
    "a namespace for a list": ({"watchNamespaces": "vision"}, "/watchNamespaces", "array"),
    "a label that is a number": ({"labels": {"team": 7}}, "/labels/team", "string"),
}


@pytest.mark.parametrize(("values", "place", "word"), WRONG.values(), ids=WRONG)
def test_a_wrong_value_is_refused_by_its_name(helm: Helm, values: Mapping[str, Any], place: str, word: str) -> None:
    with pytest.raises(HelmError, match=f"at '{place.strip(chr(39))}'.*{word}"):
        helm.run("template", "trainingrun", str(CHART), values=values)


def test_every_setting_is_a_value() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    settings = {name.upper() for kind in (Choices, Pace, Timing) for name in kind.model_fields}
    assert set(schema["properties"]["settings"]["properties"]) == settings - OWN_VALUES.keys() - FIXED


GITOPS = ROOT / "manifests" / "gitops"
DECLARED = {"argo-cd": ("Application", ("source", "helm", "valuesObject")), "flux": ("HelmRelease", ("values",))}


@pytest.mark.parametrize("tool", DECLARED)
def test_what_argo_cd_and_flux_are_told_are_values_of_the_chart(helm: Helm, tool: str) -> None:
    kind, path = DECLARED[tool]
    documents = yaml.safe_load_all((GITOPS / "operator" / f"{tool}.yaml").read_text())
    (found,) = (document["spec"] for document in documents if document["kind"] == kind)
    for name in path:
        found = found[name]
    (deployment,) = (each for key, each in rendered(helm, found).items() if key[0] == "Deployment")
    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"].endswith("trainingrun-operator:0.1.0")


def test_argo_cds_own_chart_gets_the_settings_that_kubectl_applies() -> None:
    values = yaml.safe_load((GITOPS / "argo-cd" / "values.yaml").read_text())
    assert values == {"configs": {"cm": yaml.safe_load((GITOPS / "argo-cd" / "argocd-cm.yaml").read_text())["data"]}}


def test_helm_finds_no_fault(helm: Helm) -> None:
    assert "0 chart(s) failed" in helm.run("lint", "--strict", str(CHART))


PRESET: Raw = yaml.safe_load((ROOT / "examples" / "team" / "preset.yaml").read_text())["spec"]


def test_what_the_chart_makes_is_accepted(helm: Helm, crd: Kubectl) -> None:
    crd.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    values = {"guard": {"enabled": True}, "presets": {"small": PRESET}}
    printed = helm.run("template", "trainingrun", str(CHART), "--namespace", NAMESPACE, values=values)
    assert "trainingpreset.trainingrun.dev/small" in crd.run("apply", "--dry-run=server", "-f", "-", stdin=printed)
