"""The worker pod: what each field of `spec.workers` becomes."""

from typing import Any

import pytest

from tests.builders import an_active_run
from tests.pods import a_pod_with, by_name, the_container
from trainingrun_operator.children.config_map import attempt_config
from trainingrun_operator.children.pod import pod_template
from trainingrun_operator.pace import Pace

Raw = dict[str, Any]

CLAIM = {"persistentVolumeClaim": {"claimName": "datasets"}}


def test_what_the_user_leaves_out_is_left_to_kubernetes() -> None:
    pod = a_pod_with()
    absent = {"serviceAccountName", "runtimeClassName", "imagePullSecrets", "nodeSelector", "priorityClassName", "affinity"}
    assert not absent & pod.keys()
    assert "imagePullPolicy" not in the_container(pod)


PASSED_ON: dict[str, tuple[Raw, Raw]] = {
    "grace period": ({"terminationGracePeriodSeconds": 90}, {"terminationGracePeriodSeconds": 90}),
    "service account": ({"serviceAccountName": "cloud"}, {"serviceAccountName": "cloud"}),
    "runtime class": ({"runtimeClassName": "gvisor"}, {"runtimeClassName": "gvisor"}),
    "scheduler": ({"schedulerName": "volcano"}, {"schedulerName": "volcano"}),
    "priority class": ({"priorityClassName": "low"}, {"priorityClassName": "low"}),
    "pull secrets": ({"imagePullSecrets": [{"name": "registry"}]}, {"imagePullSecrets": [{"name": "registry"}]}),
    "node selector": ({"nodeSelector": [{"name": "zone", "value": "a"}]}, {"nodeSelector": {"zone": "a"}}),
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
        {"name": "B", "secretKeyRef": {"name": "s", "key": "k"}},
        {"name": "C", "configMapKeyRef": {"name": "c", "key": "k"}},
    ]
    found = by_name(the_container(a_pod_with(env=env))["env"])
    assert (found["A"], found["B"], found["C"]) == (
        {"value": ""},
        {"valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        {"valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}},
    )


VOLUMES: dict[str, tuple[Raw, Raw, bool]] = {
    "a claim": (CLAIM, CLAIM, False),
    "a claim to read": ({**CLAIM, "readOnly": True}, CLAIM, True),
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
    run = an_active_run()
    assert run.status.resolved is not None
    marks = pod_template(run, attempt=1, resolved=run.status.resolved, same_node=False, token="token", pace=Pace())["metadata"]
    assert marks["labels"]["sidecar.istio.io/inject"] == "false"
    assert marks["labels"]["istio.io/dataplane-mode"] == "none"
    assert marks["annotations"] == {"linkerd.io/inject": "disabled"}
