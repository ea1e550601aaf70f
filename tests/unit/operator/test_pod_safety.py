"""No field of the API makes a pod that Pod Security `restricted` rejects, or that hides what the trainer uses."""

import copy
from collections.abc import Callable
from pathlib import PurePosixPath
from posixpath import normpath
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests import reserved
from tests.builders import a_run, an_active_run
from tests.pod_security import violations
from tests.pods import a_pod_with, by_name, pod_of, the_container
from tests.presets import a_preset_manifest, preset_specs
from trainingrun.api import TrainingPreset
from trainingrun.api.pod import RESERVED_ANNOTATIONS, RESERVED_LABELS
from trainingrun.mounts import TRAINER_MOUNTS
from trainingrun_operator.resolution import resolve

Raw = dict[str, Any]

CLAIM = {"persistentVolumeClaim": {"claimName": "datasets"}}
OUR_VARIABLES = {"TRAININGRUN_CONFIG", "TRAININGRUN_COORDINATOR", "TRAININGRUN_TOKEN", "TPU_WORKER_ID", "TPU_WORKER_HOSTNAMES"}

BROKEN: dict[str, tuple[Callable[[Raw], Any], str]] = {
    "host network": (lambda pod: pod.update(hostNetwork=True), "hostNetwork"),
    "host path": (lambda pod: pod["volumes"].append({"name": "x", "hostPath": {"path": "/"}}), "volume type ['hostPath']"),
    "root": (lambda pod: pod["securityContext"].update(runAsUser=0), "runAsUser"),
    "maybe root": (lambda pod: pod["securityContext"].pop("runAsNonRoot"), "runAsNonRoot"),
    "no seccomp": (lambda pod: pod["securityContext"].pop("seccompProfile"), "seccompProfile"),
    "escalation": (
        lambda pod: the_container(pod)["securityContext"].pop("allowPrivilegeEscalation"),
        "allowPrivilegeEscalation",
    ),
    "a capability": (
        lambda pod: the_container(pod)["securityContext"]["capabilities"].update(add=["IPC_LOCK"]),
        "capabilities",
    ),
    "a host port": (lambda pod: the_container(pod)["ports"][0].update(hostPort=80), "hostPort"),
    "a probe elsewhere": (lambda pod: the_container(pod)["readinessProbe"]["httpGet"].update(host="10.0.0.1"), "probe host"),
}


@pytest.mark.parametrize(("break_it", "violation"), BROKEN.values(), ids=BROKEN)
def test_the_restricted_level_is_judged_by_its_words(break_it: Callable[[Raw], Any], violation: str) -> None:
    pod = copy.deepcopy(a_pod_with())
    break_it(pod)
    assert violations(pod) == [violation]


# Wild values: what an attacker would try, what a user gets wrong, and enough of what is right.
WILD_PATHS = st.lists(
    st.sampled_from(
        ["mnt", "data", "output", "tmp", "dev", "shm", "etc", "trainingrun", "opt", "venv", "proc", "sys", "var", "run"]
        + ["usr", "lib", "lib64", "bin", "home", "data2", "..", ".", "", "a:b", "x\n"]
    ),
    min_size=1,
    max_size=3,
).map(lambda parts: "/" + "/".join(parts))
PATHS = st.one_of(st.sampled_from(["/mnt/a", "/mnt/b", "/home/c"]), WILD_PATHS)
VARIABLES = st.sampled_from([*reserved.VARIABLES, "PATHS", "MY_HOME", "NCCL_DEBUG", "lower", "LD_PRELOAD\n", "A=B", "1A"])
NAMES = st.sampled_from(["a", "data", "output", "scratch", "config", "shared-memory", "A", "b" * 50])
AMOUNTS = st.sampled_from(["1Gi", "512Mi", "1", "10Gi", "lots", "2.5G", 4])
ENV = st.builds(
    lambda name, source: {"name": name, **source},
    VARIABLES,
    st.sampled_from(
        [
            {"value": "x"},
            {"valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
            {"valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}},
            {"valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        ]
    ),
)
SOURCES = st.sampled_from([CLAIM, {"secret": {"secretName": "s"}}, {"configMap": {"name": "c"}}, {"hostPath": {"path": "/"}}])
VOLUME = st.builds(lambda name, path, source: {"name": name, "mountPath": path, **source}, NAMES, PATHS, SOURCES)
TOLERATION = st.fixed_dictionaries(
    {"operator": st.sampled_from(["Exists", "Equal"])},
    optional={
        "key": st.sampled_from(["gpu", "node.kubernetes.io/unreachable"]),
        "effect": st.sampled_from(["NoExecute", "NoSchedule"]),
        "tolerationSeconds": st.integers(0, 90),
    },
)
GPU = st.fixed_dictionaries(
    {"count": st.integers(0, 17)},
    optional={
        "resourceName": st.sampled_from(["nvidia.com/gpu", "amd.com/gpu", "gpu", "a/b/c"]),
        "product": NAMES,
        "minimumMemory": AMOUNTS,
        "minimumComputeCapability": st.sampled_from(["8.0", "8.6", "10.3", "8", "0.0"]),
    },
)
TPU = st.fixed_dictionaries(
    {"type": NAMES, "topology": st.sampled_from(["2x4", "2x2x2", "2", "0x0"]), "chips": st.sampled_from([1, 2, 4, 8])}
)
MARKS = st.sampled_from(
    [*RESERVED_LABELS, *RESERVED_ANNOTATIONS, "trainingrun.dev/run", "cost-centre", "example.com/team", "_x", "a b"]
)
ACCELERATOR = st.one_of(GPU.map(lambda gpu: {"gpu": gpu}), TPU.map(lambda tpu: {"tpu": tpu}))
WORKERS = st.fixed_dictionaries(
    {"replicas": st.integers(1, 3)},
    optional={
        "accelerator": ACCELERATOR,
        "env": st.lists(ENV, max_size=2, unique_by=lambda variable: variable["name"]),
        "volumes": st.lists(VOLUME, max_size=2, unique_by=lambda volume: volume["name"]),
        "tolerations": st.lists(TOLERATION, max_size=2),
        "nodeSelector": st.dictionaries(NAMES, NAMES, max_size=2),
        "imagePullSecrets": st.lists(st.fixed_dictionaries({"name": NAMES}), max_size=2),
        "imagePullPolicy": st.sampled_from(["Always", "IfNotPresent", "Never", "Sometimes"]),
        **dict.fromkeys(("serviceAccountName", "runtimeClassName", "schedulerName", "priorityClassName"), NAMES),
        **dict.fromkeys(("sharedMemory", "scratch"), AMOUNTS),
        "terminationGracePeriodSeconds": st.integers(0, 3600),
        "network": st.fixed_dictionaries(
            {},
            optional={
                "egress": st.sampled_from(["Any", "Cluster", "None"]),
                "metadataServer": st.sampled_from(["Allow", "Deny"]),
            },
        ),
        "labels": st.dictionaries(MARKS, st.sampled_from(["", "x"]), max_size=3),
        "annotations": st.dictionaries(MARKS, st.sampled_from(["", "x"]), max_size=3),
        "securityContext": st.fixed_dictionaries(
            {},
            optional={
                **dict.fromkeys(("runAsUser", "runAsGroup", "fsGroup"), st.sampled_from([-1, 0, 1, 1000, 2**31])),
                "supplementalGroups": st.lists(st.sampled_from([-1, 0, 7]), max_size=2, unique=True),
            },
        ),
        "resources": st.fixed_dictionaries({"requests": st.fixed_dictionaries({"cpu": AMOUNTS, "memory": AMOUNTS})}),
    },
)
URI = {
    "uri": "s3://bucket/prefix",
    "secretName": "s",
    "certificateAuthority": {"configMapKeyRef": {"name": "c", "key": "k"}},
}
DATA = st.sampled_from([{"source": {"builtin": "MNIST10k"}}, *({"source": place, "format": "IDX"} for place in (CLAIM, URI))])
OUTPUT = st.sampled_from([CLAIM, URI])
TRANSPORT = st.sampled_from(["Gloo", "MPI"])


def shadows(path: str) -> bool:
    """Whether a mount here would hide one of the trainer's places."""
    mount = PurePosixPath(normpath(path))
    return any(mount.is_relative_to(place) or PurePosixPath(place).is_relative_to(mount) for place in reserved.PLACES)


@settings(max_examples=400, deadline=None)
@given(workers=WORKERS, data=DATA, output=OUTPUT, transport=TRANSPORT, same_node=st.booleans())
def test_no_accepted_block_of_workers_makes_a_pod_that_is_unsafe_or_hides_the_trainers_own(
    workers: Raw, data: Raw, output: Raw, transport: str, same_node: bool
) -> None:
    strategy = {"transport": transport}
    try:
        run = an_active_run(spec__workers=workers, spec__data=data, spec__output=output, spec__strategy=strategy)
    except ValidationError:
        event("refused")
        return
    event("accepted")
    assert_safe(pod_of(run, same_node=same_node))


@settings(max_examples=400, deadline=None)
@given(workers=WORKERS, spec=preset_specs(WORKERS))
def test_no_accepted_preset_makes_a_pod_that_is_unsafe_or_hides_the_trainers_own(workers: Raw, spec: Raw) -> None:
    try:
        run, preset = a_run(spec__workers=workers, spec__preset="wild"), TrainingPreset.parse(a_preset_manifest("wild", **spec))
    except ValidationError:
        event("refused")
        return
    resolution = resolve(run, preset)
    if resolution.obstacle is not None:
        event(resolution.obstacle.reason)
        return
    event("accepted")
    assert_safe(pod_of(resolution.run.model_copy(update={"status": an_active_run().status})))


def assert_safe(pod: Raw) -> None:
    """It is of the restricted level, and what belongs to the trainer is the trainer's."""
    assert violations(pod) == []
    variables = [variable["name"] for variable in the_container(pod)["env"]]
    assert set(variables) & set(reserved.VARIABLES) <= OUR_VARIABLES
    assert len(set(variables)) == len(variables)
    mounts = by_name(the_container(pod)["volumeMounts"])
    assert not [mount for name, mount in mounts.items() if name.startswith("user-") and shadows(mount["mountPath"])]
    assert mounts.keys() == by_name(pod["volumes"]).keys()
    assert len(mounts) == len(pod["volumes"])
    assert pod["automountServiceAccountToken"] is False


@pytest.mark.parametrize("name", reserved.VARIABLES)
def test_a_variable_of_the_trainer_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(ValidationError, match=rf"workers\.env must not set {name}: remove it or use another name"):
        a_run(spec__workers={"env": [{"name": name, "value": "x"}]})


@pytest.mark.parametrize("place", [*reserved.PLACES, *(f"{place}/below" for place in reserved.PLACES)])
def test_a_mount_on_or_below_a_place_of_the_trainer_is_refused(place: str) -> None:
    with pytest.raises(ValidationError, match=rf"workers\.volumes must not be mounted at {place}: use a folder such as /mnt"):
        a_run(spec__workers={"volumes": [{"name": "x", "mountPath": place, **CLAIM}]})


def test_every_place_of_the_contract_is_among_them() -> None:
    assert set(TRAINER_MOUNTS) <= set(reserved.PLACES)
