"""`spec.workers` on a real API server: every rule both ways, and a pod with every field set under Pod Security `restricted`."""

from typing import Any

import pytest

from tests import reserved
from tests.manifests import EVERY_FIELD, a_manifest
from tests.pods import a_pod_with
from tests.schema.applying import RefusedError, dry_run, refusal
from tools.kubectl import Kubectl

CLAIM = {"persistentVolumeClaim": {"claimName": "datasets"}}
SECRET = {"secret": {"secretName": "token"}}


def volume(path: str = "/mnt/x", **source: Any) -> dict[str, Any]:
    """`spec.workers` with one volume."""
    return {"volumes": [{"name": "x", "mountPath": path, **(source or CLAIM)}]}


def variable(name: str = "A", **source: Any) -> dict[str, Any]:
    """`spec.workers` with one variable."""
    return {"env": [{"name": name, **source}]}


def toleration(**fields: Any) -> dict[str, Any]:
    """`spec.workers` with one toleration."""
    return {"tolerations": [fields]}


ACCEPTED: dict[str, dict[str, Any]] = {
    "every field but the classes": EVERY_FIELD,
    "classes": {"priorityClassName": "low", "runtimeClassName": "gvisor"},
    "requests equal to limits in other units": {
        "resources": {"requests": {"cpu": 1, "memory": "1Gi"}, "limits": {"cpu": "1000m", "memory": "1024Mi"}}
    },
    "a limit alone": {"resources": {"limits": {"cpu": 1}}},
    "an empty value": variable(value=""),
    "a name that only begins like a reserved one": variable("PATHS", value="x"),
    "a mount beside a reserved folder": volume("/data2"),
    "the smallest sizes": {"sharedMemory": "1M", "scratch": 1000000},
    "marks of the pods": {
        "labels": {"cost-centre": "vision", "azure.workload.identity/use": "true", "empty": ""},
        "annotations": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"},
    },
    "a user and groups": {"securityContext": {"runAsUser": 65534, "runAsGroup": 0, "fsGroup": 7, "supplementalGroups": [8]}},
    "as much scratch as disk": {"scratch": "1Gi", "resources": {"limits": {"ephemeral-storage": "1024Mi"}}},
    "no way out for data and output on volumes": {"network": {"egress": "None"}},
}

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a request above the limit": (
        {"resources": {"requests": {"cpu": 2}, "limits": {"cpu": "1500m"}}},
        "workers.resources.requests.cpu 2 is more than workers.resources.limits.cpu 1500m: lower the request or",
    ),
    "a request of more memory than the limit": (
        {"resources": {"requests": {"memory": "2Gi"}, "limits": {"memory": "2G"}}},
        "workers.resources.requests.memory 2Gi is more than workers.resources.limits.memory 2G: lower the request or",
    ),
    "a request of half a byte": (
        {"resources": {"requests": {"memory": "512m"}}},
        "workers.resources.requests.memory 512m has the unit m, a thousandth of a byte: use Mi or M",
    ),
    "a limit of half a byte": (
        {"resources": {"limits": {"memory": "512m"}}},
        "workers.resources.limits.memory 512m has the unit m",
    ),
    "a request of more disk than the limit": (
        {"resources": {"requests": {"ephemeral-storage": "2Gi"}, "limits": {"ephemeral-storage": "1Gi"}}},
        "workers.resources.requests.ephemeral-storage 2Gi is more than workers.resources.limits.ephemeral-storage 1Gi: lower",
    ),
    "disk of half a byte": (
        {"resources": {"requests": {"ephemeral-storage": "512m"}}},
        "workers.resources.requests.ephemeral-storage 512m has the unit m, a thousandth of a byte: use Mi or M",
    ),
    "more scratch than disk": (
        {"scratch": "2Gi", "resources": {"limits": {"ephemeral-storage": "1Gi"}}},
        "workers.scratch 2Gi counts as ephemeral storage, and must not be larger than workers.resources.limits.ephemeral-"
        "storage 1Gi: lower it or raise the limit",
    ),
    "the user 0": ({"securityContext": {"runAsUser": 0}}, "spec.workers.securityContext.runAsUser"),
    "a group twice": ({"securityContext": {"supplementalGroups": [7, 7]}}, "Duplicate value"),
    "a field that would loosen": (
        {"securityContext": {"sysctls": []}},
        'unknown field "spec.workers.securityContext.sysctls"',
    ),
    "labels that are a list": ({"labels": [{"name": "cost-centre", "value": "vision"}]}, "spec.workers.labels"),
    "a label that is no text": ({"labels": {"shared": True}}, "spec.workers.labels.shared"),
    "a value that no label has": ({"labels": {"cost-centre": "a b"}}, "spec.workers.labels.cost-centre in body should match"),
    "a name that no label has": (
        {"labels": {"cost centre": "vision"}},
        "workers.labels has cost centre, which is no name of a label: use one such as cost-centre or example.com/team",
    ),
    "more labels than are good": ({"labels": {f"a{number}": "" for number in range(17)}}, "spec.workers.labels: Too many"),
    "a label of the operator": (
        {"labels": {"cost-centre": "vision", "trainingrun.dev/run": "x"}},
        "workers.labels has trainingrun.dev/run, which belongs to the operator or the cluster: remove it",
    ),
    "a queue at the pods": (
        {"labels": {"kueue.x-k8s.io/queue-name": "x"}},
        "workers.labels has kueue.x-k8s.io/queue-name, which belongs to the operator or the cluster",
    ),
    "a label of the Job controller": (
        {"labels": {"job-name": ""}},
        "workers.labels has job-name, which belongs to the operator",
    ),
    "an annotation that would loosen": (
        {"annotations": {"container.apparmor.security.beta.kubernetes.io/trainer": "unconfined"}},
        "workers.annotations has container.apparmor.security.beta.kubernetes.io/trainer, which belongs to the operator or",
    ),
    "tiny shared memory": ({"sharedMemory": 64}, "workers.sharedMemory 64 must be at least 1M, for example 1Gi"),
    "no scratch": ({"scratch": "0"}, "workers.scratch 0 must be at least 1M, for example 1Gi"),
    "shared memory as large as the limit": (
        {"sharedMemory": "1Gi", "resources": {"limits": {"memory": "1024Mi"}}},
        "workers.sharedMemory 1Gi counts as memory, and must be smaller than workers.resources.limits.memory 1024Mi",
    ),
    "no grace": ({"terminationGracePeriodSeconds": 0}, "spec.workers.terminationGracePeriodSeconds"),
    "a size that is none": ({"scratch": "lots"}, "spec.workers.scratch in body should match"),
    "an unknown pull policy": ({"imagePullPolicy": "Sometimes"}, 'supported values: "Always", "IfNotPresent", "Never"'),
    "a class of the cluster": (
        {"priorityClassName": "system-node-critical"},
        "workers.priorityClassName system-node-critical is for the pods that the cluster itself needs: use a class",
    ),
    "a name that is none": ({"serviceAccountName": "My_Account"}, "spec.workers.serviceAccountName"),
    "a variable without a source": (variable(), "workers.env A needs exactly one of value and valueFrom"),
    "a variable with two sources": (
        variable(value="x", valueFrom={"secretKeyRef": {"name": "s", "key": "k"}}),
        "workers.env A needs exactly one of value and valueFrom",
    ),
    "a variable from two places": (
        variable(valueFrom={"secretKeyRef": {"name": "s", "key": "k"}, "configMapKeyRef": {"name": "s", "key": "k"}}),
        "workers.env valueFrom needs exactly one of secretKeyRef, configMapKeyRef and fieldRef",
    ),
    "a reference beside the name": (
        variable(secretKeyRef={"name": "s", "key": "k"}),
        'unknown field "spec.workers.env[0].secretKeyRef"',
    ),
    "a field that a pod may not read": (
        variable(valueFrom={"fieldRef": {"fieldPath": "spec.containers"}}),
        "spec.workers.env[0].valueFrom.fieldRef.fieldPath",
    ),
    "a variable twice": ({"env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]}, "Duplicate value"),
    "a variable with a space": (variable("A B", value="x"), "spec.workers.env[0].name"),
    "a volume without a source": (
        {"volumes": [{"name": "x", "mountPath": "/mnt/x"}]},
        "workers.volumes x needs exactly one of persistentVolumeClaim, secret and configMap",
    ),
    "a volume with two sources": (volume("/mnt/x", **CLAIM, **SECRET), "workers.volumes x needs exactly one of"),
    "a host path": (volume(hostPath={"path": "/"}), 'unknown field "spec.workers.volumes[0].hostPath"'),
    "a relative mount": (volume("mnt/x"), "spec.workers.volumes[0].mountPath"),
    "a mount that climbs": (volume("/mnt/../data"), "spec.workers.volumes[0].mountPath"),
    "a mount on the root": (volume("/"), "spec.workers.volumes[0].mountPath"),
    "two volumes in one place": (
        {"volumes": [{"name": "a", "mountPath": "/mnt/x", **CLAIM}, {"name": "b", "mountPath": "/mnt/x", **SECRET}]},
        "workers.volumes has two volumes with one mountPath: give each its own",
    ),
    "a node selector that is a list": ({"nodeSelector": [{"name": "zone", "value": "a"}]}, "spec.workers.nodeSelector"),
    "a toleration of nothing": (toleration(), "workers.tolerations without a key needs operator Exists"),
    "a value that is not compared": (
        toleration(key="a", operator="Exists", value="b"),
        "workers.tolerations with operator Exists takes any value: remove value b or use operator Equal",
    ),
    "seconds for every taint": (
        toleration(operator="Exists", effect="NoExecute", tolerationSeconds=0),
        "workers.tolerations.tolerationSeconds is only read with a key and effect NoExecute",
    ),
    "seconds for a taint that evicts nobody": (
        toleration(key="a", operator="Exists", effect="NoSchedule", tolerationSeconds=5),
        "workers.tolerations.tolerationSeconds is only read with a key and effect NoExecute",
    ),
    "a lost node": (
        toleration(key="node.kubernetes.io/unreachable", operator="Exists"),
        "must not name node.kubernetes.io/unreachable, which the operator tolerates for a short time: remove it and say with "
        "recovery.lostNode",
    ),
}


@pytest.mark.parametrize("workers", ACCEPTED.values(), ids=ACCEPTED)
def test_it_accepts(kubectl: Kubectl, workers: dict[str, Any]) -> None:
    dry_run(kubectl, a_manifest(spec__workers=workers))


@pytest.mark.parametrize(("workers", "words"), REFUSED.values(), ids=REFUSED)
def test_it_refuses_and_says_why(kubectl: Kubectl, workers: dict[str, Any], words: str) -> None:
    assert words in refusal(kubectl, a_manifest(spec__workers=workers))


def test_a_malformed_quantity_is_refused_once(kubectl: Kubectl) -> None:
    workers = {"sharedMemory": "some", "resources": {"requests": {"cpu": "x"}, "limits": {"cpu": 1, "memory": "1Gi"}}}
    assert refusal(kubectl, a_manifest(spec__workers=workers)).count("Invalid value") == 2


def test_every_variable_of_the_trainer_is_refused_by_its_name(kubectl: Kubectl) -> None:
    env = [{"name": name, "value": "x"} for name in reserved.VARIABLES]
    said = refusal(kubectl, a_manifest(spec__workers={"env": env}))
    named = [name for name in reserved.VARIABLES if f"workers.env must not set {name}, which belongs" in said]
    assert named == list(reserved.VARIABLES)


@pytest.mark.parametrize("below", ["", "/below"], ids=["on", "below"])
@pytest.mark.parametrize("half", [reserved.PLACES[::2], reserved.PLACES[1::2]], ids=["one half", "other half"])
def test_a_mount_on_or_below_every_place_of_the_trainer_is_refused(kubectl: Kubectl, half: tuple[str, ...], below: str) -> None:
    volumes = [{"name": f"x{index}", "mountPath": place + below, **CLAIM} for index, place in enumerate(half)]
    said = refusal(kubectl, a_manifest(spec__workers={"volumes": volumes}))
    named = [place for place in half if f"must not be mounted at {place}{below}, which the trainer" in said]
    assert named == list(half)


def test_the_api_server_admits_a_pod_with_every_field_under_restricted(kubectl: Kubectl) -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "every"}, "spec": a_pod_with(**EVERY_FIELD)}
    stored = dry_run(kubectl, pod)
    assert stored["spec"]["nodeSelector"] == {"kubernetes.io/os": "linux", "topology.kubernetes.io/zone": "a", "gpu": ""}


def test_restricted_is_enforced_here_so_that_the_test_above_can_fail(kubectl: Kubectl) -> None:
    spec = a_pod_with()
    spec["securityContext"]["runAsUser"] = 0
    with pytest.raises(RefusedError, match="runAsUser=0"):
        dry_run(kubectl, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "root"}, "spec": spec})


def at(uri: str, *, place: str, egress: str, **more: str) -> dict[str, Any]:
    """A run with data or output at a uri, whose workers may connect so far."""
    location = {"uri": uri, **more}
    block = {"spec__data": {"source": location, "format": "IDX"}} if place == "data.source" else {"spec__output": location}
    return {**block, "spec__workers": {"network": {"egress": egress}}}


NEAR = {"endpoint": "https://minio.storage:9000"}


@pytest.mark.parametrize("place", ["data.source", "output"])
@pytest.mark.parametrize(("egress", "more"), [("Any", {}), ("Any", NEAR), ("Cluster", NEAR)])
def test_a_uri_within_reach_of_the_workers_is_accepted(crd: Kubectl, place: str, egress: str, more: dict[str, str]) -> None:
    dry_run(crd, a_manifest(**at("s3://digits/mnist", place=place, egress=egress, **more)))


@pytest.mark.parametrize("place", ["data.source", "output"])
@pytest.mark.parametrize(
    ("egress", "more", "sentence"),
    [
        ("None", {}, ".uri s3://digits/mnist cannot be reached with workers.network.egress None: use Any, or Cluster"),
        ("None", NEAR, ".uri s3://digits/mnist cannot be reached with workers.network.egress None: use Any, or Cluster"),
        ("Cluster", {}, ".uri s3://digits/mnist without an endpoint is a cloud outside of this cluster"),
    ],
)
def test_a_uri_out_of_reach_is_refused(crd: Kubectl, place: str, egress: str, more: dict[str, str], sentence: str) -> None:
    assert place + sentence in refusal(crd, a_manifest(**at("s3://digits/mnist", place=place, egress=egress, **more)))


def test_a_web_server_may_be_in_the_cluster(crd: Kubectl) -> None:
    dry_run(crd, a_manifest(**at("https://files.storage/digits", place="data.source", egress="Cluster")))
