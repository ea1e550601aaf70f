"""Namespaces that have users and groups of their own, and refuse all others: OpenShift's `restricted-v2`, played."""

import json
from collections.abc import Iterator

import pytest

from cluster.embedded import EmbeddedCluster
from tests.e2e.conftest import Playground
from tests.e2e.openshift import ANNOTATIONS, FIRST_USER, LABEL, NAME, a_constraint, kinds
from tests.e2e.told import told
from tests.e2e.trouble import reruns, said
from tests.waiting import wait_for
from tools.install import OPERATOR_NAMESPACE
from tools.kubectl import KubectlError

pytestmark = [pytest.mark.long, pytest.mark.alone]  # the operators are replaced, twice

WORDS = "unable to validate against any security context constraint: [provider restricted-v2: "
WAY_OUT = "leave spec.workers.securityContext out, and set WORKER_USER=Cluster in the operator's Deployment"


@pytest.fixture(scope="module")
def constrained(playground: Playground) -> Iterator[Playground]:
    """The namespace of the runs and that of the operator, in which only users of their own may run."""
    clean(playground)
    namespaces = (playground.namespace, OPERATOR_NAMESPACE)
    marks = [f"{name}={value}" for name, value in LABEL.items()], [f"{name}={value}" for name, value in ANNOTATIONS.items()]
    for namespace in namespaces:
        playground.kubectl.run("annotate", "namespace", namespace, "--overwrite", *marks[1])
        playground.kubectl.run("label", "namespace", namespace, "--overwrite", *marks[0])
    playground.kubectl.apply(*a_constraint())
    wait_for(lambda: refuses(playground), bool, what="the constraint to be enforced", timeout=30)
    try:
        yield playground
    finally:
        clean(playground)
        playground.kubectl.run("label", "namespace", OPERATOR_NAMESPACE, *(f"{name}-" for name in LABEL))


def clean(playground: Playground) -> None:
    for kind in kinds():
        playground.kubectl.delete(kind, NAME)


def refuses(playground: Playground) -> bool:
    """Whether a pod with a user of ours is refused."""
    context = {"runAsUser": 1000, "runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    own = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    container = {"name": "probe", "image": playground.played_image, "securityContext": own}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "probe"},
        "spec": {"securityContext": context, "containers": [container]},
    }
    try:
        playground.kubectl.run("apply", "--dry-run=server", "-f", "-", stdin=json.dumps(pod))
    except KubectlError as refused:
        return WORDS in str(refused)
    return False


def test_users_and_groups_of_ours_are_refused_in_a_sentence_and_the_way_out_works(constrained: Playground) -> None:
    asked = {"group": {"runAsUser": FIRST_USER + 1, "fsGroup": 2000}, "groups": {"supplementalGroups": [3000]}}
    constrained.play("user", workers=1)
    for name, context in asked.items():
        constrained.play(name, workers=1, further={"securityContext": context})
    for name in ("user", *asked):
        refused = constrained.wait(name, "refused", lambda run: said(run)[0] == "FailedCreate")
        assert WORDS in said(refused)[1]
        assert WAY_OUT in said(refused)[1]
    with told(constrained, WORKER_USER="Cluster"):
        for name in ("user", *asked):
            reruns(name, workers={"securityContext": None})(constrained)
            finished = constrained.wait(name, "finished again", lambda run: run.status.is_finished and run.status.attempt > 1)
            assert finished.status.result is not None, finished.status.failure


def test_a_gang_trains_as_the_users_that_the_cluster_gives_it_and_writes_its_output(constrained: Playground) -> None:
    with told(constrained, WORKER_USER="Cluster"):
        constrained.start("given")
        finished = constrained.wait_until_finished("given")
    assert finished.status.result is not None, finished.status.failure
    for pod in constrained.pods("given"):
        (container,) = pod["spec"]["containers"]
        assert "runAsUser" not in pod["spec"]["securityContext"]
        assert container["securityContext"]["runAsUser"] == FIRST_USER
        assert pod["spec"]["securityContext"]["fsGroup"] == FIRST_USER
    cluster = constrained.installation.cluster
    if isinstance(cluster, EmbeddedCluster):
        folder = cluster.volume_folder(claim="models", namespace=constrained.namespace) / "given"
        assert {path.stat().st_uid for path in folder.rglob("*") if path.is_file()} == {FIRST_USER}


def test_the_operator_itself_runs_as_the_user_that_the_cluster_gives_it(constrained: Playground) -> None:
    with told(constrained, WORKER_USER="Cluster"):
        operators = constrained.kubectl.within(OPERATOR_NAMESPACE).list("pods")
        users = {pod["spec"]["containers"][0]["securityContext"]["runAsUser"] for pod in operators}
    assert users == {FIRST_USER}
