"""The chart beside `manifests`: the same objects for the same wishes."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

import images
from tests.helm.objects import of_chart, of_kustomize
from tests.helm.program import CHART, Helm
from tests.helm.wishes import DIGEST, NAMESPACE, WISHES, Wish, built, rendered
from tests.waiting import wait_for
from tools.kubectl import Kubectl, KubectlError
from tools.release import chart
from trainingrun.version import VERSION


@pytest.mark.parametrize("wish", WISHES.values(), ids=WISHES)
def test_chart_and_kustomize_make_the_same_objects(helm: Helm, admin: Kubectl, wish: Wish, tmp_path: Path) -> None:
    charts, kustomizes = rendered(helm, wish.values), built(admin, wish, folder=tmp_path)
    assert charts.keys() == kustomizes.keys()
    different = [key for key in charts if charts[key] != kustomizes[key]]
    assert [charts[key] for key in different] == [kustomizes[key] for key in different]
    assert wish == WISHES["nothing"] or charts != rendered(helm, {})


def test_an_overlay_that_names_another_namespace_moves_all_of_it(admin: Kubectl, tmp_path: Path) -> None:
    found = built(admin, Wish(overlay={"namespace": "ml"}), folder=tmp_path)
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


def test_the_chart_of_a_release_makes_what_its_install_yaml_has(helm: Helm, admin: Kubectl, tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.mkdir()
    package = chart.package(RELEASED, architecture="amd64", made=made, version=VERSION, epoch=0)
    first = package.read_bytes()
    assert chart.package(RELEASED, architecture="amd64", made=made, version=VERSION, epoch=0).read_bytes() == first
    rendered = helm.run("template", "trainingrun", str(package), "--namespace", NAMESPACE)
    installed = images.render(RELEASED, kubectl=admin.binary, machine="x86_64")
    assert of_chart(rendered) == of_kustomize(installed)
    assert f"| `image.digest` | `{DIGEST}` |" in helm.run("show", "readme", str(package))


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
