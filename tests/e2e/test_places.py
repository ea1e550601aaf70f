"""Everyday troubles with images, nodes and kubelets: what the status says, and the way out.

Most ways out are a change of the run together with a new `spec.rerun`: what an attempt was made with stays as it is. All runs
are started at once. Several nodes, and their loss, are in `tests/faults/test_nodes.py`.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e import foreign
from tests.e2e.conftest import TINY, Playground
from tests.e2e.trouble import Help, Manifest, Trouble, deletes, reruns, said
from trainingrun.api import TrainingRun
from trainingrun.contract import SCRATCH_MOUNT

ROOTED = "places-rooted"
CLASS = "places-turns"
LABEL = "tests.trainingrun.dev/pool"
NOBODY = "nobody"
SLOWLY = {"PLAYED_EPOCH_SECONDS": "600"}
"""For workers that only have to be there: two minutes from step to step cost nothing."""
ONCE: dict[str, Any] = {"spec__recovery": {"maximumRestarts": 0}}


def labels(value: str) -> Help:
    """The way out is a label of every node."""
    return lambda playground: playground.kubectl.run("label", "nodes", "--all", "--overwrite", f"{LABEL}{value}")


def a_rooting_policy() -> tuple[Manifest, Manifest]:
    """A policy that makes the containers of one run ask for what the namespace forbids, and its binding."""
    change = 'JSONPatch{op: "replace", path: "/spec/containers/0/securityContext/allowPrivilegeEscalation", value: true}'
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": ROOTED},
        "spec": {
            "matchConstraints": {
                "resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]
            },
            "matchConditions": [
                {"name": "this-run", "expression": "object.metadata.?labels['trainingrun.dev/run'].orValue('') == 'security'"}
            ],
            "failurePolicy": "Fail",
            "reinvocationPolicy": "Never",
            "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": f"[{change}]"}}],
        },
    }
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": {"name": ROOTED},
        "spec": {"policyName": ROOTED},
    }
    return policy, binding


def a_turn() -> tuple[Manifest, Manifest]:
    """A quota of one pod for runs of one priority class."""
    scope = {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "In", "values": [CLASS]}]}
    return (
        {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": CLASS}, "value": 1},
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "one"},
            "spec": {"hard": {"pods": "1"}, "scopeSelector": scope},
        },
    )


TROUBLES = {
    "security": Trouble(
        "FailedCreate",
        ('violates PodSecurity "restricted', "allowPrivilegeEscalation != false"),
        deletes("mutatingadmissionpolicybinding", ROOTED),
        before=a_rooting_policy(),
    ),
    "selector": Trouble(
        "Unschedulable",
        (f"it needs a node with the label {LABEL}=gpu; no such node has the label {LABEL}",),
        labels("=gpu"),
        workers={"nodeSelector": {LABEL: "gpu"}},
    ),
}


@pytest.fixture(scope="module")
def troubled(playground: Playground) -> Iterator[Playground]:
    """The namespace, in which everything is in the way of one run each, and the runs have been applied."""
    clean(playground)  # what an interrupted session has left
    playground.kubectl.apply(*a_turn(), *(manifest for trouble in TROUBLES.values() for manifest in trouble.before))
    playground.play("first", workers=1, grace_seconds=1, variables=SLOWLY, further={"priorityClassName": CLASS})
    playground.play("rejected", workers=1, resources={"requests": {"cpu": "999"}}, further={"schedulerName": NOBODY}, **ONCE)
    for name, trouble in TROUBLES.items():
        playground.play(name, workers=1, further=trouble.workers, **trouble.run)
    playground.play("foreign", workers=1, spec__image=foreign.load(playground.installation.cluster), **ONCE)
    playground.play("scratch", workers=1, variables=SLOWLY, further={"scratch": "1M"}, **ONCE)
    fill(playground, "scratch")  # now, as a kubelet looks at its volumes once a minute
    yield playground
    clean(playground)


def clean(playground: Playground) -> None:
    for kind in ("mutatingadmissionpolicybinding", "mutatingadmissionpolicy"):
        playground.kubectl.delete(kind, ROOTED)
    playground.kubectl.delete("priorityclass", CLASS)
    labels("-")(playground)


def fill(playground: Playground, name: str) -> None:
    """Write more to a worker's scratch than it may."""
    playground.wait(name, "training", lambda run: run.status.stage == "Training")
    write = ("dd", "if=/dev/zero", f"of={SCRATCH_MOUNT}/large", "bs=1M", "count=4")
    playground.kubectl.run("exec", playground.pod(name, worker=0), "--", *write)


def test_a_worker_that_its_node_rejects_costs_no_restart(troubled: Playground) -> None:
    """As when two schedulers, or a scheduler and a kubelet that has been restarted, do not know of each other.

    Here the scheduler of the run is not there, which is said first; its place is taken by the test.
    """
    alone = (
        f"the scheduler {NOBODY} (spec.workers.schedulerName) has said nothing about it. See that it runs, and that the name"
    )
    waiting = troubled.wait("rejected", "without a scheduler", lambda run: alone in said(run)[1])
    assert said(waiting)[0] == "Unschedulable"
    bind(troubled, troubled.pod("rejected", worker=0))
    status = troubled.wait_for_second_attempt("rejected").status
    assert status.failure is not None
    assert status.failure.cause == "PodRejected"
    assert "has rejected worker 0: OutOfcpu. Node didn't have enough resource: cpu, requested: 999" in status.failure.message
    assert (status.restarts, status.fruitless_attempts) == (0, 1)
    reruns("rejected", workers={"schedulerName": None, "resources": TINY})(troubled)


def bind(playground: Playground, pod: str) -> None:
    """Place a pod as a scheduler does that does not ask what a node has."""
    node = playground.kubectl.list("nodes")[0]["metadata"]["name"]
    binding = {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": pod},
        "target": {"apiVersion": "v1", "kind": "Node", "name": node},
    }
    path = f"/api/v1/namespaces/{playground.namespace}/pods/{pod}/binding"
    playground.kubectl.run("create", "--raw", path, "-f", "-", stdin=json.dumps(binding))


@pytest.mark.parametrize("name", TROUBLES)
def test_the_status_says_what_is_in_the_way(troubled: Playground, name: str) -> None:
    trouble = TROUBLES[name]
    waiting = troubled.wait(name, trouble.words[0], lambda run: trouble.words[0] in said(run)[1], timeout=60)
    assert said(waiting)[0] == trouble.reason
    for words in trouble.words:
        assert words in said(waiting)[1]
    assert not waiting.status.is_finished


def test_a_full_quota_lets_the_next_run_in_when_another_one_ends(troubled: Playground) -> None:
    troubled.wait("first", "training", lambda run: run.status.stage == "Training")
    troubled.play("second", workers=1, further={"priorityClassName": CLASS})
    waiting = troubled.wait("second", "QuotaExceeded", lambda run: said(run)[0] == "QuotaExceeded", timeout=60)
    assert "They are made as soon as the quota has room for them." in said(waiting)[1]
    troubled.kubectl.run("patch", "trun", "first", "--type=merge", "-p", '{"spec":{"activeDeadlineSeconds":1}}')
    assert ended(troubled, "first").status.failure is not None


def test_an_image_for_other_processors_is_told_by_its_last_words(troubled: Playground) -> None:
    failure = ended(troubled, "foreign").status.failure
    assert failure is not None
    assert failure.cause == "PodFailed"
    assert "Its last words: exec /foreign: exec format error" in failure.message
    assert "The image is for other processors than those of node" in failure.hint
    reruns("foreign", image=troubled.played_image)(troubled)


@pytest.fixture(scope="module")
def mended(troubled: Playground) -> Playground:
    """The namespace, in which nothing is in the way any more."""
    for trouble in TROUBLES.values():
        trouble.mend(troubled)
    return troubled


@pytest.mark.parametrize("name", [*TROUBLES, "rejected", "foreign", "second"])
def test_what_helps_lets_the_run_end_well(mended: Playground, name: str) -> None:
    assert ends_well(mended, name).status.restarts == 0


def test_a_worker_that_has_written_more_than_it_may_is_told_what_and_goes_on_with_more(troubled: Playground) -> None:
    failure = ended(troubled, "scratch").status.failure
    assert failure is not None
    assert failure.cause == "StorageExceeded"
    assert 'Usage of EmptyDir volume "scratch" exceeds the limit "1M"' in failure.message
    assert "spec.workers.scratch" in failure.hint
    reruns("scratch", workers={"scratch": "1Gi", "env": None})(troubled)
    ends_well(troubled, "scratch")


def ends_well(playground: Playground, name: str) -> TrainingRun:
    """The run, once it has a result."""
    return playground.wait(name, "finished well", lambda run: run.status.result is not None)


def ended(playground: Playground, name: str) -> TrainingRun:
    """The run, once it has failed or succeeded."""
    return playground.wait_until_finished(name, timeout=120)
