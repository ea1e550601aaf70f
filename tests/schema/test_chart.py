"""The chart beside `manifests`: the same objects for the same wishes, and no value that nobody understands."""

import json
import re
import shlex
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

import cluster
import images
from tests.helm import program
from tests.helm.objects import Identity, Raw, of_chart, of_kustomize
from tests.helm.program import CHART, Helm, HelmError
from tests.patience import patience
from tests.waiting import wait_for
from tools.chart import FIXED, OWN_VALUES
from tools.install import OPERATOR
from tools.kubectl import Kubectl, KubectlError
from tools.release import chart
from trainingrun.version import VERSION
from trainingrun_operator.choices import Choices
from trainingrun_operator.pace import Pace, Timing

ROOT = Path(__file__).parent.parent.parent
NAMESPACE = "trainingrun-system"
DIGEST = "sha256:" + "0" * 64
LATEST = {"image": {"tag": "latest"}, "trainer": {"image": {"tag": "latest"}}}
"""The images of `manifests/base`."""


@pytest.fixture(scope="session")
def helm(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """Helm without a cluster; what is printed while it is built is shown."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    assert capture is not None
    with capture.global_and_fixture_disabled():
        return Helm(program=program.build(), home=tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="session")
def kubectl(backend: cluster.Cluster) -> Kubectl:
    return Kubectl(binary=backend.kubectl(), kubeconfig=backend.kubeconfig(), patience=patience(1))


@dataclass(frozen=True)
class Wish:
    """The same wish in the words of the chart, and in those of an overlay of `manifests/base`."""

    values: Mapping[str, Any] = field(default_factory=dict)
    overlay: Mapping[str, Any] = field(default_factory=dict)
    components: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()


WISHES = {
    "nothing": Wish(),
    **{
        f"gangs by {kind}": Wish(values={"gangScheduler": kind}, components=(f"gang-{kind.lower()}",))
        for kind in ("Kubernetes", "Coscheduling", "Volcano")
    },
    "some namespaces": Wish(
        values={"watchNamespaces": ["vision", "speech"]},
        components=("namespaced",),
        namespaces=("vision", "speech"),
        settings=("WATCH_NAMESPACES=vision,speech",),
    ),
    "gangs in one namespace": Wish(
        values={"watchNamespaces": ["vision"], "gangScheduler": "Volcano"},
        components=("namespaced", "gang-volcano"),
        namespaces=("vision",),
        settings=("WATCH_NAMESPACES=vision",),
    ),
    "a guard": Wish(values={"guard": {"enabled": True}}, components=("guard",)),
    "metrics": Wish(values={"serviceMonitor": {"enabled": True}}, components=("service-monitor",)),
    "images": Wish(
        values={
            "image": {"repository": "registry.example:5000/team/operator", "digest": DIGEST},
            "trainer": {
                "architecture": "amd64",
                "image": {"repository": "registry.example/trainer", "tag": "1.0"},
                "gpuImage": {"repository": "registry.example/trainer-gpu", "digest": DIGEST},
            },
        },
        overlay={
            "images": [
                {"name": "trainingrun-operator", "newName": "registry.example:5000/team/operator", "digest": DIGEST},
                {"name": "trainingrun-trainer", "newName": "registry.example/trainer", "newTag": "1.0"},
                {"name": "trainingrun-trainer-gpu", "newName": "registry.example/trainer-gpu", "digest": DIGEST},
            ]
        },
        settings=("TRAINER_IMAGE_GPU=trainingrun-trainer-gpu", "TRAINER_ARCHITECTURE=amd64"),
    ),
    "settings": Wish(
        values={"settings": {"RETRY_SECONDS": 0.05, "RESYNC_SECONDS": 86400, "WORKER_USER": 1000650000}},
        settings=("RETRY_SECONDS=0.05", "RESYNC_SECONDS=86400", "WORKER_USER=1000650000"),
    ),
}


def rendered(helm: Helm, values: Mapping[str, Any], *options: str) -> dict[Identity, Raw]:
    printed = helm.run("template", "trainingrun", str(CHART), "--namespace", NAMESPACE, *options, values=merged(LATEST, values))
    return of_chart(printed)


def merged(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    both = {name: merged(first[name], second[name]) for name in first if isinstance(second.get(name), dict)}
    return {**first, **second, **both}


def built(kubectl: Kubectl, wish: Wish, *, folder: Path) -> dict[Identity, Raw]:
    """What kustomize makes of an overlay in the folder, as a user writes it."""
    manifests = Path("manifests")
    (folder / "manifests").symlink_to(ROOT / "manifests")
    for name in wish.namespaces:
        write(folder / name, {"namespace": name, "resources": [f"../{manifests}/watched-namespace"]})
    settings = {"name": "trainingrun-operator-settings", "namespace": NAMESPACE, "behavior": "merge"}
    overlay = {
        "resources": [str(manifests / "base"), *wish.namespaces],
        "components": [str(manifests / "components" / name) for name in wish.components],
        "configMapGenerator": [{**settings, "literals": list(wish.settings)}] if wish.settings else [],
    }
    write(folder, {**overlay, **wish.overlay})
    return of_kustomize(kubectl.run("kustomize", str(folder)))


def write(folder: Path, kustomization: Mapping[str, Any]) -> None:
    folder.mkdir(exist_ok=True)
    kind = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
    (folder / "kustomization.yaml").write_text(yaml.safe_dump({**kind, **kustomization}))


@pytest.mark.parametrize("wish", WISHES.values(), ids=WISHES)
def test_chart_and_kustomize_make_the_same_objects(helm: Helm, kubectl: Kubectl, wish: Wish, tmp_path: Path) -> None:
    charts, kustomizes = rendered(helm, wish.values), built(kubectl, wish, folder=tmp_path)
    assert charts.keys() == kustomizes.keys()
    different = [key for key in charts if charts[key] != kustomizes[key]]
    assert [charts[key] for key in different] == [kustomizes[key] for key in different]
    assert wish == WISHES["nothing"] or charts != rendered(helm, {})


def test_an_overlay_that_names_another_namespace_moves_all_of_it(kubectl: Kubectl, tmp_path: Path) -> None:
    found = built(kubectl, Wish(overlay={"namespace": "ml"}), folder=tmp_path)
    assert "trainingrun-system" not in json.dumps([found[key] for key in found if key[0] != "CustomResourceDefinition"])


def test_the_chart_brings_nothing_into_another_namespace_than_the_release(helm: Helm) -> None:
    printed = helm.run("template", "trainingrun", str(CHART), "--namespace", "ml", values={"guard": {"enabled": True}})
    found = of_chart(printed)
    assert "trainingrun-system" not in json.dumps([found[key] for key in found if key[0] != "CustomResourceDefinition"])


def test_a_second_installation_shares_no_name_with_the_first(helm: Helm) -> None:
    first = rendered(helm, {"guard": {"enabled": True}})
    alone = {"crds": {"enabled": False}, "roles": {"enabled": False}}
    second = rendered(helm, {"name": "second", "guard": {"enabled": True}, **alone})
    assert not first.keys() & second.keys()


def test_another_setting_replaces_the_operators_and_another_board_does_not(helm: Helm) -> None:
    def checksum(values: Mapping[str, Any]) -> str:
        printed = helm.run("template", "trainingrun", str(CHART), values=values)
        (deployment,) = (found for found in yaml.load_all(printed, yaml.CSafeLoader) if found and found["kind"] == "Deployment")
        return str(deployment["spec"]["template"]["metadata"]["annotations"]["checksum/settings"])

    assert checksum({"settings": {"RESYNC_SECONDS": 60}}) != checksum({})
    assert checksum({"dashboard": {"enabled": True}}) == checksum({})


PLACES = {
    "imagePullSecrets": [{"name": "registry"}],
    "priorityClassName": "system-cluster-critical",
    "nodeSelector": {"pool": "system"},
    "tolerations": [{"key": "system", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "resources": {"requests": {"cpu": "1"}},
}


def test_where_and_how_the_operators_run_is_theirs_who_install_it(helm: Helm) -> None:
    spread = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}
    given = {**PLACES, "topologySpreadConstraints": [spread], "labels": {"team": "ml"}, "podAnnotations": {"scrape": "yes"}}
    (deployment,) = (found for key, found in rendered(helm, given).items() if key[0] == "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    theirs = {"labelSelector": {"matchLabels": {"app.kubernetes.io/name": "trainingrun-operator"}}}
    assert pod["topologySpreadConstraints"] == [{**spread, **theirs}]
    assert pod["containers"][0]["resources"]["requests"] == {"cpu": "1", "memory": "128Mi"}
    assert {name: pod[name] for name in PLACES if name != "resources"} == {
        name: value for name, value in PLACES.items() if name != "resources"
    }
    assert deployment["metadata"]["labels"]["team"] == deployment["spec"]["template"]["metadata"]["labels"]["team"] == "ml"


RELEASED = {
    "operator": f"registry.example:5000/team/trainingrun-operator:1.2.0@{DIGEST}",
    "trainer": f"registry.example:5000/team/trainingrun-trainer:1.2.0@{DIGEST}",
    "trainer-gpu": f"registry.example:5000/team/trainingrun-trainer-gpu:1.2.0@{DIGEST}",
}


def test_the_chart_of_a_release_makes_what_its_install_yaml_has(helm: Helm, kubectl: Kubectl, tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.mkdir()
    package = chart.package(RELEASED, architecture="amd64", made=made, version=VERSION, epoch=0)
    first = package.read_bytes()
    assert chart.package(RELEASED, architecture="amd64", made=made, version=VERSION, epoch=0).read_bytes() == first
    rendered = helm.run("template", "trainingrun", str(package), "--namespace", NAMESPACE)
    installed = images.render(RELEASED, kubectl=kubectl.binary, machine="x86_64")
    assert of_chart(rendered) == of_kustomize(installed)
    assert f"| `image.digest` | `{DIGEST}` |" in helm.run("show", "readme", str(package))


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


def test_the_operator_deletes_only_what_belongs_to_a_run(crd: Kubectl, tmp_path: Path) -> None:
    """With the guard, and as the ServiceAccount that its roles let delete both."""
    found = built(crd, Wish(components=("guard",)), folder=tmp_path)
    kinds = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "ClusterRole", "ClusterRoleBinding")
    wanted = [each for (kind, _, name), each in found.items() if kind in kinds and name.startswith("trainingrun-operator")]
    mine = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "theirs", "namespace": "default"}}
    ours = {**mine, "metadata": {"name": "ours", "namespace": "default", "labels": {"trainingrun.dev/run": "mnist"}}}
    crd.apply(mine, ours, *wanted)
    operator = ("--as", f"system:serviceaccount:{NAMESPACE}:trainingrun-operator")
    try:
        refusal = wait_for_refusal(crd, *operator)
        assert "this object has no label trainingrun.dev/run" in refusal
        crd.within("default").run("delete", "configmap", "ours", *operator)
    finally:
        crd.run("delete", "validatingadmissionpolicybinding,validatingadmissionpolicy", "trainingrun-operator-deletes")
        crd.within("default").run("delete", "configmap", "theirs", "ours", "--ignore-not-found")


def wait_for_refusal(crd: Kubectl, *operator: str) -> str:
    """What the API server says once it knows the policy, which takes it a moment; `theirs` is only tried, never deleted."""

    def tried() -> str:
        try:
            crd.within("default").run("delete", "configmap", "theirs", "--dry-run=server", *operator)
        except KubectlError as refused:
            return str(refused)
        return ""

    return wait_for(tried, bool, what="the policy to be in force", timeout=30, interval=0.3)
