"""The chart on a cluster: installed, a run trained, other settings while one trains, and uninstalled.

Helm's operator is the only one meanwhile. It may act in one namespace only, and delete only what belongs to a run.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.conftest import BRISK, Playground
from tests.helm import program
from tests.helm.program import CHART, Helm
from tests.patience import patience
from tools.install import OPERATOR, OPERATOR_NAMESPACE
from tools.kubectl import Kubectl

pytestmark = pytest.mark.alone

SYSTEM = "e2e-helm"
RELEASE = "trainingrun"
NAME = "operator-of-helm"
"""Of all that it installs: the other installation keeps its own."""
PRESET = {"defaults": {"workers": {"env": [{"name": "TEAM", "value": "helm"}]}}}


@pytest.fixture(scope="module")
def helm(playground: Playground, tmp_path_factory: pytest.TempPathFactory) -> Helm:
    kubeconfig = playground.installation.kubectl.kubeconfig
    return Helm(program=program.build(), home=tmp_path_factory.mktemp("helm"), kubeconfig=kubeconfig)


@pytest.fixture(scope="module")
def system(playground: Playground, helm: Helm) -> Iterator[Kubectl]:
    """kubectl in the namespace of an operator that Helm has installed; that of the other tests rests meanwhile."""
    admin = playground.installation.kubectl
    admin.delete("namespace", SYSTEM)  # that of an earlier session, which may have been interrupted
    with playground.without_operator():
        try:
            install(helm, playground)
            yield admin.within(SYSTEM)
        finally:
            helm.run("uninstall", RELEASE, "--namespace", SYSTEM, "--ignore-not-found", timeout=90)
            admin.run("delete", "trainingpreset", "of-helm", "--ignore-not-found")
            admin.run("delete", "namespace", SYSTEM, "--wait=false")


def install(helm: Helm, playground: Playground, **settings: float) -> None:
    """Install, or upgrade to these settings, and wait until the operators are there.

    The definitions are those of the other tests until Helm takes them over, as for one who leaves kubectl for Helm.
    """
    other = playground.installation.kubectl.within(OPERATOR_NAMESPACE).get("deployment", OPERATOR)
    assert other is not None
    (container,) = other["spec"]["template"]["spec"]["containers"]
    values: dict[str, Any] = {
        "name": NAME,
        "image": image(container["image"]),
        "trainer": {"image": image(playground.installation.trainer_image)},
        "settings": {name: number(value) for name, value in BRISK.items()} | settings,
        "watchNamespaces": [playground.namespace],
        "guard": {"enabled": True},
        "roles": {"enabled": False},
        "presets": {"of-helm": PRESET},
    }
    where = ("--namespace", SYSTEM, "--create-namespace", "--take-ownership")
    waiting = ("--wait", f"--timeout={patience(120):.0f}s")
    helm.run("upgrade", RELEASE, str(CHART), "--install", *where, *waiting, values=values, timeout=130)


def number(text: str) -> float:
    """As one writes it into a file of values: whole where it is."""
    value = float(text)
    return int(value) if value.is_integer() else value


def image(reference: str) -> dict[str, str]:
    repository, _, tag = reference.rpartition(":")
    return {"repository": repository, "tag": tag}


def operators(system: Kubectl) -> set[str]:
    return {pod["metadata"]["uid"] for pod in system.list("pods", selector=f"app.kubernetes.io/name={NAME}")}


def test_a_first_run_trains_to_its_end(playground: Playground, system: Kubectl) -> None:
    playground.start("first", spec__workers={"replicas": 1}, spec__preset="of-helm")
    finished = playground.wait_until_finished("first")
    assert finished.status.result is not None
    (pod,) = playground.pods("first")
    assert {"name": "TEAM", "value": "helm"} in pod["spec"]["containers"][0]["env"]


def test_another_setting_replaces_the_operators_and_leaves_a_run_alone(
    playground: Playground, system: Kubectl, helm: Helm
) -> None:
    playground.play("second", epochs=round(patience(20)))
    playground.wait_for_epoch("second", 1)
    pods, before = {pod["metadata"]["uid"] for pod in playground.pods("second")}, operators(system)
    install(helm, playground, RESYNC_SECONDS=9)
    assert len(operators(system) - before) == 2
    finished = playground.wait_until_finished("second")
    assert finished.status.result is not None
    assert finished.status.attempt == 1
    assert {pod["metadata"]["uid"] for pod in playground.pods("second")} == pods


def test_a_run_in_another_namespace_is_nobodys(playground: Playground, system: Kubectl) -> None:
    """The operator may not even look: its roles end at the namespaces that it watches."""
    account = f"system:serviceaccount:{SYSTEM}:{NAME}"
    for namespace, answer in ((playground.namespace, "yes"), ("default", "no")):
        asked = playground.installation.kubectl.within(namespace)
        assert may(asked, "create", "jobs", account) == answer


def may(kubectl: Kubectl, verb: str, resource: str, account: str) -> str:
    """`yes` or `no`; kubectl ends with an error where it says no."""
    subject = {"resourceAttributes": {"namespace": kubectl.namespace, "verb": verb, "group": "batch", "resource": resource}}
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {**subject, "user": account}}
    allowed = kubectl.run("create", "-f", "-", "-o", "jsonpath={.status.allowed}", stdin=json.dumps(review))
    return "yes" if allowed == "true" else "no"


def test_uninstalling_leaves_definitions_presets_and_runs(playground: Playground, system: Kubectl, helm: Helm) -> None:
    playground.play("third", workers=1, epochs=1)
    ended = playground.wait_until_finished("third").status
    helm.run("uninstall", RELEASE, "--namespace", SYSTEM, "--wait", f"--timeout={patience(90):.0f}s", timeout=100)
    admin = playground.installation.kubectl
    assert system.get("deployment", NAME) is None
    assert admin.get("clusterrole", NAME) is None
    assert admin.get("crd", "trainingruns.trainingrun.dev") is not None
    assert admin.get("trainingpreset", "of-helm") is not None
    assert playground.get("third").status == ended
