"""PodGroups: what each gang scheduler gets, and when."""

from dataclasses import replace
from typing import Any

import pytest

from tests.builders import CONFIG, NOON, a_claim, an_active_run, children
from trainingrun_operator.config import GangScheduler
from trainingrun_operator.decide import decide
from trainingrun_operator.model import Manifest
from trainingrun_operator.observe import observe
from trainingrun_operator.settings import Settings

EXPECTED: dict[GangScheduler, dict[str, Any]] = {
    GangScheduler.KUBERNETES: {
        "api": "scheduling.k8s.io/v1beta1",
        "group": {"schedulingPolicy": {"gang": {"minCount": 3}}},
        "spec": {"schedulingGroup": {"podGroupName": "mnist-1"}},
    },
    GangScheduler.COSCHEDULING: {
        "api": "scheduling.x-k8s.io/v1alpha1",
        "group": {"minMember": 3},
        "labels": {"scheduling.x-k8s.io/pod-group": "mnist-1"},
        "spec": {"schedulerName": "scheduler-plugins-scheduler"},
    },
    GangScheduler.VOLCANO: {
        "api": "scheduling.volcano.sh/v1beta1",
        "group": {"minMember": 3},
        "annotations": {"scheduling.k8s.io/group-name": "mnist-1"},
        "spec": {"schedulerName": "volcano"},
    },
}


def created(scheduler: GangScheduler | None, *, existing: tuple[str, ...] = (), **changes: Any) -> dict[str, Manifest]:
    """What is created for an attempt that has these children, by kind."""
    run = an_active_run(**{"workers": 3, "status": {"timeline": None}, **changes})
    there = [child for child in children(run) if child["kind"] in existing]
    observed = observe(children=there, pods=(), claims={"models": a_claim(modes=("ReadWriteMany",))})
    decision = decide(run, observed, now=NOON, config=replace(CONFIG, gang_scheduler=scheduler))
    return {manifest["kind"]: manifest for manifest in decision.create}


@pytest.mark.parametrize("scheduler", GangScheduler)
def test_the_scheduler_is_told_of_the_whole_gang_before_its_pods_exist(scheduler: GangScheduler) -> None:
    made, expected = created(scheduler), EXPECTED[scheduler]
    assert list(made)[-2:] == ["PodGroup", "Job"]
    group, template = made["PodGroup"], made["Job"]["spec"]["template"]
    assert (group["apiVersion"], group["spec"]) == (expected["api"], expected["group"])
    assert group["metadata"]["ownerReferences"] == made["Job"]["metadata"]["ownerReferences"]
    for kind in ("labels", "annotations"):
        assert template["metadata"].get(kind, {}).items() >= expected.get(kind, {}).items()
    assert template["spec"].items() >= expected["spec"].items()
    assert template["metadata"]["labels"]["trainingrun.dev/run"] == "mnist", "the pods are still ours"


@pytest.mark.parametrize("scheduler", [GangScheduler.COSCHEDULING, GangScheduler.VOLCANO])
def test_a_scheduler_that_the_run_names_wins(scheduler: GangScheduler) -> None:
    made = created(scheduler, spec__workers={"replicas": 3, "schedulerName": "ours"})
    assert made["Job"]["spec"]["template"]["spec"]["schedulerName"] == "ours"


def test_without_the_setting_and_for_one_worker_there_is_no_group() -> None:
    assert "PodGroup" not in created(None)
    assert "PodGroup" not in created(GangScheduler.VOLCANO, workers=1)


def test_an_attempt_that_has_begun_without_a_group_gets_none() -> None:
    assert list(created(GangScheduler.VOLCANO, existing=("Service", "ConfigMap", "Job"))) == ["NetworkPolicy"]


def test_an_unknown_gang_scheduler_is_refused() -> None:
    with pytest.raises(ValueError, match=r"GANG_SCHEDULER is Slurm: it is one of Kubernetes, Coscheduling, Volcano"):
        Settings.from_environment({"TRAINER_IMAGE": "trainer:1", "GANG_SCHEDULER": "Slurm"})
