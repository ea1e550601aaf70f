"""TrainingPreset on a real API server: every rule both ways, and the words of every refusal."""

from pathlib import Path
from typing import Any

import pytest

from tests.presets import a_preset_manifest
from tests.schema.applying import dry_run, refusal
from tools.kubectl import Kubectl
from trainingrun.api import PresetField

ROOT = Path(__file__).parent.parent.parent

Raw = dict[str, Any]


def test_the_crd_fits_into_a_plain_kubectl_apply() -> None:
    assert (ROOT / "crds" / "trainingpresets.yaml").stat().st_size < 200_000


def test_a_preset_that_says_nothing_sets_nothing(kubectl: Kubectl) -> None:
    stored = dry_run(kubectl, a_preset_manifest())
    assert stored["spec"] == {
        "description": "",
        "defaults": {"workers": {"resources": {"requests": {}, "limits": {}}, "network": {}, "securityContext": {}}},
        "limits": {},
    }
    assert "status" not in stored


EVERY_FIELD: Raw = {
    "description": "All that there is",
    "defaults": {
        "image": "registry.example/team:1",
        "workers": {
            "accelerator": {"gpu": {"count": 2, "minimumMemory": "24G"}},
            "resources": {"requests": {"cpu": 1, "memory": "1Gi"}, "limits": {"memory": "2Gi"}},
            "sharedMemory": "1Gi",
            "scratch": "5G",
            "imagePullPolicy": "IfNotPresent",
            "imagePullSecrets": [{"name": "registry"}],
            "serviceAccountName": "trainer",
            "env": [{"name": "PROXY", "value": "http://proxy:3128"}],
            "nodeSelector": {"pool": "training"},
            "tolerations": [{"key": "team", "operator": "Exists", "effect": "NoSchedule"}],
            "network": {"egress": "Cluster", "metadataServer": "Deny"},
            "labels": {"cost-centre": "vision"},
            "annotations": {"team": "Vision"},
            "securityContext": {"runAsUser": 2000, "supplementalGroups": [3000]},
            "priorityClassName": "team",
            "runtimeClassName": "gvisor",
            "schedulerName": "my-scheduler",
        },
    },
    "allowedOverrides": [field.value for field in PresetField if field is not PresetField.LABELS],
    "forbiddenFields": ["workers.labels"],
    "limits": {"mostWorkers": 4, "mostAccelerators": 8, "longestDeadlineSeconds": 3600},
}


def test_every_field_is_accepted_and_stored_as_it_is(kubectl: Kubectl) -> None:
    stored = dry_run(kubectl, a_preset_manifest(**EVERY_FIELD))["spec"]
    assert {**stored, "defaults": None} == {**EVERY_FIELD, "defaults": None}
    workers, asked = stored["defaults"]["workers"], EVERY_FIELD["defaults"]["workers"]
    assert {name: value for name, value in workers.items() if name != "accelerator"} == {
        name: value for name, value in asked.items() if name != "accelerator"
    }


def of_workers(**fields: Any) -> Raw:
    return {"defaults": {"workers": fields}}


REFUSED: dict[str, tuple[Raw, str]] = {
    "an override of what no preset has": ({"allowedOverrides": ["workers.replicas"]}, "spec.allowedOverrides[0]"),
    "an override twice": ({"allowedOverrides": ["image", "image"]}, "Duplicate value"),
    "a field of a run that no preset has": (of_workers(replicas=2), 'unknown field "spec.defaults.workers.replicas"'),
    "a host path": (of_workers(volumes=[]), 'unknown field "spec.defaults.workers.volumes"'),
    "a variable of the trainer": (
        of_workers(env=[{"name": "LD_PRELOAD", "value": "x"}]),
        "workers.env must not set LD_PRELOAD, which belongs to the operator",
    ),
    "a class of the cluster itself": (
        of_workers(priorityClassName="system-node-critical"),
        "workers.priorityClassName system-node-critical is for the pods that the cluster itself needs",
    ),
    "hardly any scratch": (of_workers(scratch="1k"), "workers.scratch 1k must be at least 1M, for example 1Gi"),
    "a request above the limit": (
        of_workers(resources={"requests": {"memory": "2Gi"}, "limits": {"memory": "1Gi"}}),
        "workers.resources.requests.memory 2Gi is more than workers.resources.limits.memory 1Gi",
    ),
    "a field both allowed and forbidden": (
        {"allowedOverrides": ["image"], "forbiddenFields": ["image", "workers.labels"]},
        "forbiddenFields and allowedOverrides name the same field: remove it from one of them",
    ),
    "a label of the operator": (
        of_workers(labels={"app.kubernetes.io/name": "x"}),
        "workers.labels has app.kubernetes.io/name, which belongs to the operator or the cluster",
    ),
    "no accelerator in it": (of_workers(accelerator={}), "workers.accelerator needs exactly one of gpu and tpu"),
    "no workers": ({"limits": {"mostWorkers": 0}}, "spec.limits.mostWorkers"),
}


@pytest.mark.parametrize(("spec", "words"), REFUSED.values(), ids=REFUSED)
def test_a_preset_that_cannot_work_is_refused_with_words(kubectl: Kubectl, spec: Raw, words: str) -> None:
    assert words in refusal(kubectl, a_preset_manifest(**spec))


def test_it_has_a_short_name_and_tells_what_it_is(kubectl: Kubectl) -> None:
    kubectl.apply(a_preset_manifest("told", description="For tests", limits={"mostWorkers": 3}))
    header, row = kubectl.run("get", "tpreset", "told").splitlines()
    assert header.split() == ["NAME", "DESCRIPTION", "IMAGE", "WORKERS", "AGE"]
    assert row.split()[:4] == ["told", "For", "tests", "3"]
    kubectl.delete("tpreset", "told")
