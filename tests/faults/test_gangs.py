"""Gangs that a scheduler places whole or not at all: kube-scheduler with its gang scheduling turned on, and two others."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest
import yaml

from cluster.embedded import EmbeddedCluster
from cluster.features import Features
from images.cache import cache_folder
from tests.faults.kwok import fake_nodes, kwok
from tests.faults.lab import ROOT, Lab, laboratory
from tests.faults.stage import Stage
from tests.faults.test_accelerators import A100, a_gpu_node, finish, gpus, places, play, pods, taint
from tests.gangs.schedulers import COSCHEDULING, VOLCANO
from tests.waiting import wait_for
from tools.kubectl import Kubectl
from trainingrun_operator.children.gang import pod_group_api
from trainingrun_operator.config import GangScheduler

COMPONENTS = ROOT / "manifests" / "components"
FEATURES = Features(gates=("GenericWorkload",), apis=("scheduling.k8s.io/v1beta1",))
NODES = (a_gpu_node("one", gpus=8, **A100), a_gpu_node("two", gpus=8, **A100))
GANG = gpus(replicas=2, count=8)
SCHEDULERS = [
    pytest.param((GangScheduler.KUBERNETES, None), id="Kubernetes"),
    pytest.param((GangScheduler.COSCHEDULING, COSCHEDULING), id="Coscheduling", marks=pytest.mark.long),
    pytest.param((GangScheduler.VOLCANO, VOLCANO), id="Volcano", marks=pytest.mark.long),
]
"""The operator's word for each, and what has to run beside the cluster. What takes minutes to build is for `make test-long`."""


@pytest.fixture(scope="module")
def gang_admin() -> Iterator[Kubectl]:
    """A cluster of its own, whatever the others are: no cluster has this turned on unasked."""
    cluster = EmbeddedCluster(name="trainingrun-gangs", cache=cache_folder(), features=FEATURES)
    cluster.down()
    cluster.up()
    try:
        yield Kubectl(binary=cluster.kubectl(), kubeconfig=cluster.kubeconfig())
    finally:
        cluster.down()


@pytest.fixture(scope="module", params=SCHEDULERS)
def gangs(request: pytest.FixtureRequest, gang_admin: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Two nodes with eight GPUs each, a scheduler of gangs, and an operator that makes its PodGroups."""
    kind, scheduler = request.param
    folder = tmp_path_factory.mktemp(kind)
    with ExitStack() as stack:
        stack.enter_context(kwok(gang_admin, folder=folder / "kwok"))
        stack.enter_context(fake_nodes(gang_admin, *NODES))
        if scheduler is not None:
            stack.enter_context(scheduler.running(gang_admin, folder=folder))
        lab = stack.enter_context(laboratory(gang_admin, name="gangs", size=1, folder=folder, common=folder))
        (patch,) = yaml.safe_load((COMPONENTS / f"gang-{kind.lower()}" / "kustomization.yaml").read_text())["patches"]
        changes = json.dumps(yaml.safe_load(patch["patch"]))
        gang_admin.run("patch", "clusterrole", patch["target"]["name"], "--type=json", "--patch", changes)
        yield replace(lab, settings={**lab.settings, "GANG_SCHEDULER": kind})


async def test_a_gang_of_which_only_one_half_fits_holds_nothing_until_all_of_it_does(gangs: Lab) -> None:
    async def look(stage: Stage) -> None:
        await taint(stage, "two", "guests")
        await stage.create(**GANG)
        await stage.wait("to have no place", lambda: _has_no_place(stage))
        await taint(stage, "two")
        await stage.until("Running")
        assert await places(stage) == {"one", "two"}
        await stage.succeed()
        await stage.until("Succeeded")

    await play(gangs, look)


async def test_two_gangs_that_fit_alone_but_not_together_take_turns_and_lose_no_attempt(
    gangs: Lab, gang_admin: Kubectl
) -> None:
    async def take_turns(first: Stage) -> None:
        second = replace(first, name=f"{first.name}-second")
        try:
            await first.create(**GANG)
            await first.until("Running")
            await second.create(**GANG)
            await second.wait("to have no place", lambda: _has_no_place(second))
            await first.succeed()
            await first.until("Succeeded")
            await finish(second)
            ended = [(await stage.run())["status"] for stage in (first, second)]
        finally:
            await second.delete()
            await second.until_nothing_is_left()
        assert [(status["attempt"], status["restarts"]) for status in ended] == [(1, 0), (1, 0)]

    await play(gangs, take_turns)
    kind = f"podgroups.{pod_group_api(GangScheduler(gangs.settings['GANG_SCHEDULER'])).partition('/')[0]}"
    # The garbage collector looks for new CRDs every half minute.
    wait_for(
        lambda: gang_admin.run("get", kind, "--all-namespaces", "-o", "name"),
        lambda left: left == "",
        what="all PodGroups to be gone",
        timeout=60,
    )


async def _has_no_place(stage: Stage) -> bool:
    """Whether the scheduler has looked at both workers in vain. It never keeps one of them on a node."""
    found = await pods(stage)
    reasons = [each.get("reason") for pod in found for each in pod["status"].get("conditions", ())]
    assert not any(pod["spec"].get("nodeName") for pod in found), "one half is placed"
    # Volcano calls the worker that would fit alone Schedulable.
    return sum(reason in ("Unschedulable", "Schedulable") for reason in reasons) == 2
