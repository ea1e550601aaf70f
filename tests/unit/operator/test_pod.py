"""The worker pod: what each field of `spec.workers` becomes."""

from dataclasses import replace
from typing import Any

import pytest

from tests.builders import CONFIG, an_active_run
from tests.pods import a_pod_with, by_name, pod_of, template_of, the_container
from trainingrun_operator.children.config_map import attempt_config

Raw = dict[str, Any]

CLAIM = {"persistentVolumeClaim": {"claimName": "datasets"}}
CLAIM_OF_DIGITS = {"persistentVolumeClaim": {"claimName": "digits"}}


def test_what_the_user_leaves_out_is_left_to_kubernetes() -> None:
    pod = a_pod_with()
    absent = {"serviceAccountName", "runtimeClassName", "imagePullSecrets", "priorityClassName", "affinity"}
    assert not absent & pod.keys()
    assert "imagePullPolicy" not in the_container(pod)


PASSED_ON: dict[str, tuple[Raw, Raw]] = {
    "grace period": ({"terminationGracePeriodSeconds": 90}, {"terminationGracePeriodSeconds": 90}),
    "service account": ({"serviceAccountName": "cloud"}, {"serviceAccountName": "cloud"}),
    "runtime class": ({"runtimeClassName": "gvisor"}, {"runtimeClassName": "gvisor"}),
    "scheduler": ({"schedulerName": "volcano"}, {"schedulerName": "volcano"}),
    "priority class": ({"priorityClassName": "low"}, {"priorityClassName": "low"}),
    "pull secrets": ({"imagePullSecrets": [{"name": "registry"}]}, {"imagePullSecrets": [{"name": "registry"}]}),
    "node selector": (
        {"nodeSelector": {"zone": "a"}},
        {"nodeSelector": {"kubernetes.io/os": "linux", "zone": "a"}},
    ),
}


@pytest.mark.parametrize(("workers", "fields"), PASSED_ON.values(), ids=PASSED_ON)
def test_a_field_of_workers_is_one_of_the_pod(workers: Raw, fields: Raw) -> None:
    pod = a_pod_with(**workers)
    assert {name: pod[name] for name in fields} == fields


def test_the_image_is_pulled_when_the_user_says() -> None:
    assert the_container(a_pod_with(imagePullPolicy="Never"))["imagePullPolicy"] == "Never"


def test_the_token_of_a_named_service_account_stays_unmounted() -> None:
    assert a_pod_with(serviceAccountName="cloud")["automountServiceAccountToken"] is False


def test_shared_memory_is_a_volume_in_memory_of_that_size() -> None:
    pod = a_pod_with(sharedMemory="1Gi")
    assert by_name(pod["volumes"])["shared-memory"] == {"emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}}
    assert by_name(the_container(pod)["volumeMounts"])["shared-memory"]["mountPath"] == "/dev/shm"


def test_without_shared_memory_the_runtime_decides() -> None:
    assert "shared-memory" not in by_name(a_pod_with()["volumes"])


@pytest.mark.parametrize(("workers", "size"), [({}, "10Gi"), ({"scratch": "1Gi"}, "1Gi")], ids=["by default", "as asked"])
def test_scratch_is_bounded(workers: Raw, size: str) -> None:
    assert by_name(a_pod_with(**workers)["volumes"])["scratch"] == {"emptyDir": {"sizeLimit": size}}


def test_a_users_toleration_stands_behind_the_short_ones_of_a_lost_node() -> None:
    gpu = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
    tolerations = a_pod_with(tolerations=[gpu])["tolerations"]
    assert [(found["key"], found.get("tolerationSeconds")) for found in tolerations] == [
        ("node.kubernetes.io/not-ready", 30),
        ("node.kubernetes.io/unreachable", 30),
        ("nvidia.com/gpu", None),
    ]
    assert tolerations[2] == gpu


def test_variables_come_from_values_secrets_and_config_maps() -> None:
    env = [
        {"name": "A", "value": ""},
        {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        {"name": "C", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}},
    ]
    found = by_name(the_container(a_pod_with(env=env))["env"])
    assert (found["A"], found["B"], found["C"]) == (
        {"value": ""},
        {"valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        {"valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}},
    )


VOLUMES: dict[str, tuple[Raw, Raw, bool]] = {
    "a claim": (CLAIM, CLAIM, False),
    "a claim to read": (
        {**CLAIM, "readOnly": True},
        {"persistentVolumeClaim": {"claimName": "datasets", "readOnly": True}},
        True,
    ),
    "a Secret": ({"secret": {"secretName": "s"}}, {"secret": {"secretName": "s"}}, True),
    "a ConfigMap": ({"configMap": {"name": "c"}}, {"configMap": {"name": "c"}}, True),
}


@pytest.mark.parametrize(("source", "volume", "read_only"), VOLUMES.values(), ids=VOLUMES)
def test_a_volume_of_the_user_is_mounted_where_he_says(source: Raw, volume: Raw, read_only: bool) -> None:
    pod = a_pod_with(volumes=[{"name": "output", "mountPath": "/mnt/more", **source}])
    assert by_name(pod["volumes"])["user-output"] == volume
    mount = by_name(the_container(pod)["volumeMounts"])["user-output"]
    assert mount == {"mountPath": "/mnt/more", "readOnly": read_only}


def test_the_trainer_is_told_how_long_it_may_take_to_stop() -> None:
    run = an_active_run(spec__workers={"terminationGracePeriodSeconds": 90})
    assert run.status.resolved is not None
    assert attempt_config(run, attempt=1, resolved=run.status.resolved).termination_grace_period_seconds == 90


def test_service_meshes_leave_the_pod_alone() -> None:
    marks = template_of(an_active_run())["metadata"]
    assert marks["labels"]["sidecar.istio.io/inject"] == "false"
    assert marks["labels"]["istio.io/dataplane-mode"] == "none"
    assert marks["annotations"] == {"linkerd.io/inject": "disabled"}


def test_pods_carry_the_users_marks_and_the_operators_own_win() -> None:
    given = {"cost-centre": "vision", "trainingrun.dev/run": "another"}
    notes = {"karpenter.sh/do-not-disrupt": "true", "linkerd.io/inject": "enabled"}
    run = an_active_run(spec__workers={"replicas": 2, "labels": given, "annotations": notes})
    marks, bare = template_of(run)["metadata"], template_of(an_active_run())["metadata"]
    assert marks["labels"] == {"cost-centre": "vision", **bare["labels"]}
    assert marks["annotations"] == {"karpenter.sh/do-not-disrupt": "true", **bare["annotations"]}


SAFE = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
GENTLE = {"fsGroupChangePolicy": "OnRootMismatch"}
USERS: dict[str, tuple[Raw, int | None, Raw]] = {
    "nothing": ({}, 1000, {"runAsUser": 1000, "runAsGroup": 1000, "fsGroup": 1000, **GENTLE}),
    "nothing, and the cluster decides": ({}, None, {}),
    "a user": ({"runAsUser": 7}, 1000, {"runAsUser": 7, "runAsGroup": 7, "fsGroup": 7, **GENTLE}),
    "a group": ({"runAsGroup": 0}, 1000, {"runAsUser": 1000, "runAsGroup": 0, "fsGroup": 0, **GENTLE}),
    "a group of volumes, and the cluster decides": ({"fsGroup": 5}, None, {"fsGroup": 5, **GENTLE}),
    "groups of a file server": (
        {"runAsUser": 7, "supplementalGroups": [3000, 3001]},
        None,
        {"runAsUser": 7, "runAsGroup": 7, "fsGroup": 7, "supplementalGroups": [3000, 3001], **GENTLE},
    ),
}


@pytest.mark.parametrize(("asked", "user", "context"), USERS.values(), ids=USERS)
def test_processes_are_whom_the_run_says_or_the_operator_or_the_cluster(asked: Raw, user: int | None, context: Raw) -> None:
    run = an_active_run(spec__workers={"replicas": 2, "securityContext": asked})
    pod = pod_of(run, config=replace(CONFIG, worker_user=user))
    assert pod["securityContext"] == {**SAFE, **context}


NODES: dict[str, tuple[Raw, Raw]] = {
    "the operator's image": ({}, {"kubernetes.io/os": "linux", "kubernetes.io/arch": "arm64"}),
    "an image of the user's": ({"spec__image": "mine:1"}, {"kubernetes.io/os": "linux"}),
    "the user knows better": (
        {"spec__workers": {"replicas": 2, "nodeSelector": {"kubernetes.io/arch": "amd64"}}},
        {"kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"},
    ),
}


@pytest.mark.parametrize(("changes", "selector"), NODES.values(), ids=NODES)
def test_pods_are_on_nodes_that_can_run_the_image(changes: Raw, selector: Raw) -> None:
    run = an_active_run(**changes)
    assert pod_of(run, config=replace(CONFIG, architecture="arm64"))["nodeSelector"] == selector


CLAIMS: dict[str, tuple[str, Raw, bool]] = {
    "data alone": ("digits", {}, True),
    "data where the output is": ("models", {}, False),
    "data that a volume writes": ("digits", {"name": "x", "mountPath": "/mnt/x", **CLAIM_OF_DIGITS}, False),
    "data that a volume reads, too": (
        "digits",
        {"name": "x", "mountPath": "/mnt/x", "readOnly": True, **CLAIM_OF_DIGITS},
        True,
    ),
}


@pytest.mark.parametrize(("claim", "volume", "read_only"), CLAIMS.values(), ids=CLAIMS)
def test_a_claim_that_nobody_writes_is_read_only_in_all_of_the_pod(claim: str, volume: Raw, read_only: bool) -> None:
    source = {"persistentVolumeClaim": {"claimName": claim}}
    workers = {"replicas": 2, **({"volumes": [volume]} if volume else {})}
    volumes = by_name(pod_of(an_active_run(spec__data__source=source, spec__workers=workers))["volumes"])
    of_claim = [each["persistentVolumeClaim"] for each in volumes.values() if "persistentVolumeClaim" in each]
    assert {each.get("readOnly", False) for each in of_claim if each["claimName"] == claim} == {read_only}
    assert "readOnly" not in volumes["output"]["persistentVolumeClaim"]


def test_a_claim_of_the_users_is_read_only_only_where_all_of_its_volumes_are() -> None:
    one, other = ({"name": name, "mountPath": f"/mnt/{name}", **CLAIM} for name in ("a", "b"))
    volumes = by_name(a_pod_with(volumes=[{**one, "readOnly": True}, other])["volumes"])
    assert [volumes[f"user-{name}"]["persistentVolumeClaim"] for name in "ab"] == [CLAIM["persistentVolumeClaim"]] * 2


def test_disk_of_the_node_is_asked_for_as_memory_is() -> None:
    resources = {"requests": {"ephemeral-storage": "20Gi"}, "limits": {"ephemeral-storage": "30Gi"}}
    assert the_container(a_pod_with(resources=resources))["resources"] == resources


@pytest.mark.parametrize("address", ["10.96.0.9", "fd00:10:96::9"])
def test_workers_are_told_the_address_of_the_coordinator_as_urls_have_it(address: str) -> None:
    run = an_active_run()
    assert run.status.resolved is not None
    run = run.model_copy(
        update={
            "status": run.status.model_copy(
                update={"resolved": run.status.resolved.model_copy(update={"coordinator": address})}
            )
        }
    )
    told = by_name(the_container(pod_of(run))["env"])["TRAININGRUN_COORDINATOR"]["value"]
    assert told == (f"[{address}]:29500" if ":" in address else f"{address}:29500")
