"""Everyday troubles with pods that are refused or do not start: what the status says while it lasts, and the way out.

All runs are started at once, and all troubles mended once their sentences have been read: the Job's controller and the kubelet
try again at least once a minute, and then every run must end well.
"""

from collections.abc import Iterator

import pytest

from tests.e2e.conftest import Playground, a_claim, make_claim
from tests.e2e.trouble import Manifest, Trouble, applies, deletes, reruns, said

SIDECAR = "troubles-sidecar"
QUEUE_CLASS, MISSING_CLASS = "troubles-quota", "troubles-missing"


def a_priority_class(name: str) -> Manifest:
    return {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name}, "value": 1}


def a_quota(pods: int) -> Manifest:
    """For pods of one priority class, so that other runs of the namespace are not concerned."""
    scope = {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "In", "values": [QUEUE_CLASS]}]}
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "few"},
        "spec": {"hard": {"pods": str(pods)}, "scopeSelector": scope},
    }


def a_limit_range() -> Manifest:
    limits = [{"type": "Container", "max": {"cpu": "1"}}]
    return {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "small"}, "spec": {"limits": limits}}


def a_policy() -> Manifest:
    """Pods of one run need a label."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "troubles-cost-centre"},
        "spec": {
            "matchConstraints": {
                "resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]
            },
            "matchConditions": [
                {"name": "this-run", "expression": "object.metadata.?labels['trainingrun.dev/run'].orValue('') == 'policy'"}
            ],
            "validations": [{"expression": "'cost-centre' in object.metadata.labels", "message": "a cost-centre is needed"}],
        },
    }


def a_binding() -> Manifest:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": "troubles-cost-centre"},
        "spec": {"policyName": "troubles-cost-centre", "validationActions": ["Deny"]},
    }


def a_secret(name: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": {"key": "value"}}


def a_claim_of(storage_class: str) -> Manifest:
    claim = a_claim("unbound")
    return {**claim, "spec": {**claim["spec"], "storageClassName": storage_class}}


def bind(playground: Playground) -> None:
    """A claim that can be bound, under the name of the one that cannot."""
    playground.kubectl.delete("persistentvolumeclaim", "unbound")
    make_claim(playground, "unbound")


A_FILE = {"name": "token", "mountPath": "/mnt/token", "secret": {"secretName": "file-token"}}
A_VARIABLE = {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "variable-token", "key": "key"}}}
TROUBLES = {
    "quota": Trouble(
        "QuotaExceeded",
        ("exceeded quota: few", "The 1 workers need 1 of pods, of which the quota never has more than 0"),
        applies(a_quota(5)),
        before=(a_priority_class(QUEUE_CLASS), a_quota(0)),
        workers={"priorityClassName": QUEUE_CLASS},
    ),
    "limits": Trouble(
        "FailedCreate",
        ("maximum cpu usage per Container is 1",),
        deletes("limitrange", "small"),
        before=(a_limit_range(),),
        workers={"resources": {"requests": {"cpu": "20m", "memory": "64Mi"}, "limits": {"cpu": "2", "memory": "512Mi"}}},
    ),
    "priority": Trouble(
        "FailedCreate",
        (f"no PriorityClass with name {MISSING_CLASS} was found",),
        applies(a_priority_class(MISSING_CLASS)),
        workers={"priorityClassName": MISSING_CLASS},
    ),
    "account": Trouble(
        "FailedCreate",
        ('serviceaccount "nobody" not found',),
        applies({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "nobody"}}),
        workers={"serviceAccountName": "nobody"},
    ),
    "runtime": Trouble(
        "FailedCreate",
        ('RuntimeClass "troubles" not found',),
        applies(
            {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": "troubles"}, "handler": "runc"},
        ),
        workers={"runtimeClassName": "troubles"},
    ),
    "policy": Trouble(
        "FailedCreate",
        ("ValidatingAdmissionPolicy 'troubles-cost-centre'", "a cost-centre is needed"),
        reruns("policy", workers={"labels": {"cost-centre": "vision"}}),
        before=(a_policy(), a_binding()),
    ),
    "file": Trouble(
        "FailedMount",
        ('secret "file-token" not found',),
        applies(a_secret("file-token")),
        workers={"volumes": [A_FILE]},
    ),
    "variable": Trouble(
        "ContainerCreate",
        ('secret "variable-token" not found',),
        applies(a_secret("variable-token")),
        workers={"env": [A_VARIABLE]},
    ),
    "claim": Trouble(
        "ClaimNotBound",
        ("PersistentVolumeClaim unbound (spec.output.persistentVolumeClaim.claimName) of class none, which is Pending",),
        bind,
        before=(a_claim_of("none"),),
        run={"spec__output": {"persistentVolumeClaim": {"claimName": "unbound"}}},
    ),
}
CLUSTER_WIDE = (
    *(("priorityclass", name) for name in (QUEUE_CLASS, MISSING_CLASS)),
    ("runtimeclass", "troubles"),
    ("validatingadmissionpolicybinding", "troubles-cost-centre"),
    ("validatingadmissionpolicy", "troubles-cost-centre"),
    ("mutatingadmissionpolicybinding", SIDECAR),
    ("mutatingadmissionpolicy", SIDECAR),
)


def a_sidecar(image: str) -> tuple[Manifest, Manifest]:
    """A policy that gives the pods of one run a container which never ends, as log shippers and meshes do, and its binding."""
    container = f'Object.spec.containers{{name: "shipper", image: "{image}", command: ["sleep", "infinity"], securityContext: '
    container += "Object.spec.containers.securityContext{allowPrivilegeEscalation: false, capabilities: "
    container += 'Object.spec.containers.securityContext.capabilities{drop: ["ALL"]}}}'
    added = f'[JSONPatch{{op: "add", path: "/spec/containers/-", value: {container}}}]'
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": SIDECAR},
        "spec": {
            "matchConstraints": {
                "resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]
            },
            "matchConditions": [
                {"name": "this-run", "expression": f"object.metadata.?labels['trainingrun.dev/run'].orValue('') == '{SIDECAR}'"}
            ],
            "failurePolicy": "Fail",
            "reinvocationPolicy": "Never",
            "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": added}}],
        },
    }
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": {"name": SIDECAR},
        "spec": {"policyName": SIDECAR},
    }
    return policy, binding


@pytest.fixture(scope="module")
def troubled(playground: Playground) -> Iterator[Playground]:
    """The namespace, in which everything is in the way of one run each, and the runs have been applied."""
    clean(playground)  # what an interrupted session has left
    playground.kubectl.apply(*(manifest for trouble in TROUBLES.values() for manifest in trouble.before))
    playground.kubectl.apply(*a_sidecar(playground.played_image))
    for name, trouble in TROUBLES.items():
        playground.play(name, workers=1, further=trouble.workers, **trouble.run)
    yield playground
    clean(playground)


def clean(playground: Playground) -> None:
    for kind, name in CLUSTER_WIDE:
        playground.kubectl.delete(kind, name)


@pytest.mark.parametrize("name", TROUBLES)
def test_the_status_says_what_is_in_the_way(troubled: Playground, name: str) -> None:
    trouble = TROUBLES[name]
    waiting = troubled.wait(name, trouble.reason, lambda run: said(run)[0] == trouble.reason, timeout=60)
    for words in trouble.words:
        assert words in said(waiting)[1]
    assert not waiting.status.is_finished


@pytest.fixture(scope="module")
def mended(troubled: Playground) -> Playground:
    """The namespace, in which nothing is in the way any more."""
    for trouble in TROUBLES.values():
        trouble.mend(troubled)
    return troubled


@pytest.mark.parametrize("name", TROUBLES)
def test_what_helps_lets_the_run_go_on(mended: Playground, name: str) -> None:
    finished = mended.wait_until_finished(name)
    assert finished.status.result is not None, finished.status.failure
    assert finished.status.restarts == 0


def test_pods_that_a_container_of_somebody_else_keeps_alive_are_ended_with_the_run(troubled: Playground) -> None:
    troubled.play(SIDECAR, workers=2, grace_seconds=1)
    troubled.wait(SIDECAR, "training", lambda run: run.status.stage == "Training")
    assert {len(pod["spec"]["containers"]) for pod in troubled.pods(SIDECAR)} == {2}
    finished = troubled.wait_until_finished(SIDECAR)
    assert finished.status.result is not None, finished.status.failure
    tidy = troubled.wait(SIDECAR, "tidy", lambda run: run.status.condition("Reconciling") is None)
    assert troubled.live_pods(SIDECAR) == []
    succeeded = tidy.status.condition("Succeeded")
    assert succeeded is not None
    assert succeeded.status == "True"
