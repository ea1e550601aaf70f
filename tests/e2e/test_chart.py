"""The chart on a cluster: installed, a run trained, other settings while one trains, and uninstalled.

Helm's operator is the only one meanwhile. It may act in one namespace only, and delete only what belongs to a run.
"""

import json
from collections.abc import Iterator

import pytest

from tests.e2e.conftest import Playground, uids
from tests.e2e.releases import NAME, Release, release
from tests.helm import program
from tests.helm.program import Helm
from tests.patience import patience
from tools.kubectl import Kubectl

pytestmark = pytest.mark.alone

SYSTEM = "e2e-helm"
PRESET = {"defaults": {"workers": {"env": [{"name": "TEAM", "value": "helm"}]}}}


@pytest.fixture(scope="module")
def helm(playground: Playground, tmp_path_factory: pytest.TempPathFactory) -> Helm:
    kubeconfig = playground.installation.kubectl.kubeconfig
    return Helm(program=program.build(), home=tmp_path_factory.mktemp("helm"), kubeconfig=kubeconfig)


@pytest.fixture(scope="module")
def installed(playground: Playground, helm: Helm) -> Iterator[Release]:
    """The only operator, which Helm has installed."""
    values = {"guard": {"enabled": True}, "presets": {"of-helm": PRESET}}
    with release(helm, playground, namespace=SYSTEM, values=values) as made:
        made.install()
        yield made
    playground.installation.kubectl.run("delete", "trainingpreset", "of-helm", "--ignore-not-found")


def test_a_first_run_trains_to_its_end(playground: Playground, installed: Release) -> None:
    playground.start("first", spec__workers={"replicas": 1}, spec__preset="of-helm")
    finished = playground.wait_until_finished("first")
    assert finished.status.result is not None
    (pod,) = playground.pods("first")
    assert {"name": "TEAM", "value": "helm"} in pod["spec"]["containers"][0]["env"]


def test_another_setting_replaces_the_operators_and_leaves_a_run_alone(playground: Playground, installed: Release) -> None:
    playground.play("second", epochs=round(patience(20)))
    playground.wait_for_epoch("second", 1)
    pods, before = uids(playground.pods("second")), uids(installed.operators())
    installed.install(RESYNC_SECONDS=9)
    assert len(uids(installed.operators()) - before) == 2
    finished = playground.wait_until_finished("second")
    assert finished.status.result is not None
    assert finished.status.attempt == 1
    assert uids(playground.pods("second")) == pods


def test_a_run_in_another_namespace_is_nobodys(playground: Playground, installed: Release) -> None:
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


def test_uninstalling_leaves_definitions_presets_and_runs(playground: Playground, installed: Release) -> None:
    playground.play("third", workers=1, epochs=1)
    ended = playground.wait_until_finished("third").status
    installed.uninstall()
    admin = playground.installation.kubectl
    assert installed.system.get("deployment", NAME) is None
    assert admin.get("clusterrole", NAME) is None
    assert admin.get("crd", "trainingruns.trainingrun.dev") is not None
    assert admin.get("trainingpreset", "of-helm") is not None
    assert playground.get("third").status == ended
