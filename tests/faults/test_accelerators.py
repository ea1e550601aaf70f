"""Accelerators under a real scheduler, on nodes that only say that they have GPUs and TPU chips."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.faults.api import Object
from tests.faults.kwok import FakeNode, fake_nodes
from tests.faults.lab import Lab
from tests.faults.oracle import Outcome
from tests.faults.stage import CHILDREN, Stage
from tests.faults.trial import Trial, run_all
from tests.faults.workloads import Workload
from tests.patience import patience
from tools.kubectl import Kubectl

IMAGE = {"spec__image": "trainer:accelerators"}
SLICE: dict[str, Any] = {"type": "tpu-v5-lite-podslice", "topology": "2x4", "chips": 4}


def a_gpu_node(name: str, *, gpus: int, product: str, mebibytes: int, capability: str) -> FakeNode:
    """A node as NVIDIA's device plugin and GPU feature discovery leave it."""
    major, minor = capability.split(".")
    labels = {"product": product, "memory": str(mebibytes), "compute.major": major, "compute.minor": minor}
    return FakeNode(
        name,
        labels={f"nvidia.com/gpu.{label}": value for label, value in labels.items()},
        resources={"nvidia.com/gpu": str(gpus)},
        taint="nvidia.com/gpu",
    )


def a_tpu_node(name: str, *, topology: str) -> FakeNode:
    """A node of a TPU slice as GKE labels it."""
    labels = {"cloud.google.com/gke-tpu-accelerator": SLICE["type"], "cloud.google.com/gke-tpu-topology": topology}
    return FakeNode(name, labels=labels, resources={"google.com/tpu": "4"}, taint="google.com/tpu")


L4: dict[str, Any] = {"product": "NVIDIA-L4", "mebibytes": 23034, "capability": "8.9"}
A100: dict[str, Any] = {"product": "NVIDIA-A100-SXM4-40GB", "mebibytes": 40960, "capability": "8.0"}
V100: dict[str, Any] = {"product": "Tesla-V100-SXM2-32GB", "mebibytes": 32768, "capability": "7.0"}
NODES = (
    a_gpu_node("l4-four", gpus=4, **L4),
    a_gpu_node("l4-eight", gpus=8, **L4),
    a_gpu_node("v100", gpus=8, **V100),
    a_gpu_node("a100-one", gpus=8, **A100),
    a_gpu_node("a100-two", gpus=8, **A100),
    a_tpu_node("slice-one", topology="2x4"),
    a_tpu_node("slice-two", topology="2x4"),
    a_tpu_node("slice-of-others", topology="4x4"),
)


@pytest.fixture(scope="module")
def fleet(lab: Lab, admin: Kubectl) -> Iterator[Lab]:
    """A laboratory with accelerators."""
    with fake_nodes(admin, *NODES):
        yield lab


async def play(lab: Lab, workload: Workload) -> None:
    """Lead one life, with the real operator; nothing goes wrong but what the workload does."""
    (outcome,) = await run_all(lab, [Trial(workload)])
    if not isinstance(outcome, Outcome):
        raise outcome


def gpus(*, replicas: int = 1, **fields: Any) -> dict[str, Any]:
    """Changes for a run with GPUs."""
    return {**IMAGE, "spec__workers": {"replicas": replicas, "accelerator": {"gpu": fields}}}


async def pods(stage: Stage) -> list[Object]:
    """Pods of the run."""
    return await stage.api.list(CHILDREN["Pod"].format(stage.namespace), selector=f"trainingrun.dev/run={stage.name}")


async def places(stage: Stage) -> set[str]:
    """Nodes that the run's pods are on."""
    return {pod["spec"].get("nodeName", "") for pod in await pods(stage)}


PLACES: dict[str, tuple[dict[str, Any], set[str]]] = {
    "eight with 40 GB": (gpus(replicas=2, count=8, minimumMemory="40G"), {"a100-one", "a100-two"}),
    "eight of a product": (gpus(count=8, product="NVIDIA-L4"), {"l4-eight"}),
    "eight of the newest generation, one minor number up": (gpus(count=8, minimumComputeCapability=8.6), {"l4-eight"}),
    "eight of two generations": (
        gpus(replicas=3, count=8, minimumMemory="20G", minimumComputeCapability=7.5),
        {"l4-eight", "a100-one", "a100-two"},
    ),
    "a slice": (
        {**IMAGE, "spec__workers": {"replicas": 2, "accelerator": {"tpu": SLICE}}},
        {"slice-one", "slice-two"},
    ),
}


@pytest.mark.parametrize(("changes", "nodes"), PLACES.values(), ids=PLACES)
async def test_workers_land_where_their_accelerators_are_and_nowhere_else(
    fleet: Lab, changes: dict[str, Any], nodes: set[str]
) -> None:
    async def look(stage: Stage) -> None:
        await stage.create(**changes)
        await stage.until("Running")
        assert await places(stage) == nodes
        await stage.succeed()
        await stage.until("Succeeded")

    await play(fleet, look)


async def test_workers_of_a_slice_have_the_host_names_that_they_are_told(fleet: Lab) -> None:
    async def look(stage: Stage) -> None:
        await stage.create(**PLACES["a slice"][0])
        await stage.until("Running")
        names = [f"{pod['spec']['hostname']}.{pod['spec']['subdomain']}" for pod in await pods(stage)]
        variables = [each for pod in await pods(stage) for each in pod["spec"]["containers"][0]["env"]]
        hosts = {each["value"] for each in variables if each["name"] == "TPU_WORKER_HOSTNAMES"}
        assert hosts == {",".join(sorted(names))}
        services = {child["metadata"]["name"]: child["spec"] for child in await stage.children() if child["kind"] == "Service"}
        assert services[f"{stage.name}-1-hosts"]["clusterIP"] == "None"
        await stage.succeed()
        await stage.until("Succeeded")

    await play(fleet, look)


SENTENCES: dict[str, tuple[dict[str, Any], str]] = {
    "too little memory": (
        gpus(count=8, minimumMemory="80G"),
        "Worker 0 fits no node: it needs 8 GPUs with at least 80G on one node; the largest is 42G, on 2 nodes.",
    ),
    "too few": (
        gpus(count=16, product="NVIDIA-L4"),
        "Worker 0 fits no node: it needs 16 GPUs of product NVIDIA-L4 on one node; the largest has 8, on 1 node.",
    ),
    "too few nodes": (
        gpus(replicas=3, count=8, minimumMemory="40G"),
        "the 3 workers run at once, and the nodes that fit have room for 2 of them when empty.",
    ),
}


@pytest.mark.parametrize(("changes", "sentence"), SENTENCES.values(), ids=SENTENCES)
async def test_what_no_node_can_ever_hold_is_said_with_what_the_cluster_has(
    fleet: Lab, changes: dict[str, Any], sentence: str
) -> None:
    async def look(stage: Stage) -> None:
        await stage.create(**changes)
        await stage.wait(f"to say: {sentence}", lambda: _says(stage, sentence))
        status = (await stage.run())["status"]
        assert not [each for each in status["conditions"] if each["type"] == "Stalled"]

    await play(fleet, look)


async def test_two_gangs_that_fit_alone_but_not_together_both_finish(fleet: Lab) -> None:
    """Each holds what the other waits for, until the time-out lets one of them go."""
    # Long enough for both to take one place each, on any machine.
    recovery = {"startTimeoutSeconds": round(patience(5))}
    gang = {**gpus(replicas=2, count=8, minimumMemory="40G"), "spec__recovery": recovery}
    guest = {**gang["spec__workers"], "tolerations": [{"key": "guests", "operator": "Exists"}]}

    async def deadlock(first: Stage) -> None:
        second = replace(first, name=f"{first.name}-second")
        try:
            await taint(first, "a100-two", "nvidia.com/gpu", "guests")
            await first.create(**gang)
            await first.wait("to have one place", lambda: _is_half_placed(first))
            await second.create(**{**gang, "spec__workers": guest})
            await second.wait("to have one place", lambda: _is_half_placed(second))
            await taint(first, "a100-two", "nvidia.com/gpu")
            assert (await places(first), await places(second)) == ({"a100-one", ""}, {"a100-two", ""})
            await asyncio.gather(finish(first), finish(second))
            ended = [(await stage.run())["status"] for stage in (first, second)]
        finally:
            await second.delete()
            await second.until_nothing_is_left()
        assert [status["restarts"] for status in ended] == [0, 0]
        assert "Unschedulable" in {past.get("cause") for status in ended for past in status["history"]}

    await play(fleet, deadlock)


async def finish(stage: Stage) -> None:
    await stage.until("Running", seconds=240)
    await stage.succeed()
    await stage.until("Succeeded")


async def taint(stage: Stage, node: str, *keys: str) -> None:
    """The node keeps away whoever does not tolerate these, and nobody else."""
    taints = [{"key": key, "effect": "NoSchedule"} for key in keys]
    await stage.api.merge(f"api/v1/nodes/{node}", {"spec": {"taints": taints}})


async def _says(stage: Stage, sentence: str) -> bool:
    """Whether the run says what it waits for in these words."""
    conditions = (await stage.run()).get("status", {}).get("conditions", ())
    return any(sentence in each["message"] for each in conditions if each["type"] == "Reconciling")


async def _is_half_placed(stage: Stage) -> bool:
    """Whether one of the two workers is on a node, and the scheduler has looked at the other in vain."""
    found = await pods(stage)
    reasons = [each.get("reason") for pod in found for each in pod["status"].get("conditions", ())]
    return sum(bool(pod["spec"].get("nodeName")) for pod in found) == 1 and reasons.count("Unschedulable") == 1
