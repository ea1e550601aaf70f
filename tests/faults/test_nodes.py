"""Everyday troubles with nodes, under a real scheduler and real node controllers: what the status says, and the way out."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests.faults.api import Object
from tests.faults.kwok import LOST, FakeNode, fake_nodes
from tests.faults.lab import CLAIM, Lab
from tests.faults.oracle import Outcome
from tests.faults.stage import CHILDREN, Stage
from tests.faults.trial import Trial, run_all
from tests.faults.workloads import Workload
from tools.kubectl import Kubectl

POOL = "tests.trainingrun.dev/pool"
SMALL = {"cpu": "4"}
"""Room for one worker that asks for this."""
NODES = (
    FakeNode("cordoned", labels={POOL: "cordoned"}),
    FakeNode("tainted", labels={POOL: "tainted"}, taint="dedicated"),
    FakeNode("arm", labels={POOL: "arm", "kubernetes.io/arch": "arm64"}),
    *(FakeNode(f"small-{number}", labels={POOL: "small"}, resources=SMALL) for number in range(2)),
    *(FakeNode(f"doomed-{number}", labels={POOL: "doomed"}, resources=SMALL) for number in range(3)),
)


@pytest.fixture(scope="module")
def places(lab: Lab, admin: Kubectl) -> Iterator[Lab]:
    """A laboratory with these nodes, whose operator gives up a node that is lost at once."""
    with fake_nodes(admin, *NODES):
        admin.run("cordon", "cordoned")
        yield replace(lab, settings={**lab.settings, "LOST_NODE_SECONDS": "0"})


async def play(lab: Lab, workload: Workload) -> None:
    """Lead one life, with the real operator; nothing goes wrong but what the workload does."""
    (outcome,) = await run_all(lab, [Trial(workload)])
    if not isinstance(outcome, Outcome):
        raise outcome


def on(pool: str, **more: Any) -> dict[str, Any]:
    """Fields of `spec.workers` of a run for one pool of nodes."""
    return {"replicas": 1, "resources": {"requests": SMALL}, "nodeSelector": {POOL: pool}, **more}


async def uncordon(stage: Stage) -> None:
    await stage.api.merge("api/v1/nodes/cordoned", {"spec": {"unschedulable": False}})


def reruns(**changes: Any) -> Callable[[Stage], Awaitable[None]]:
    """The way out is to change the run."""
    return lambda stage: stage.change(**changes, rerun="mended")


@dataclass(frozen=True)
class Trouble:
    """What a run asks for, the sentence that says why it has no place, and what helps."""

    workers: dict[str, Any]
    sentence: str
    mend: Callable[[Stage], Awaitable[None]]
    run: dict[str, Any] = field(default_factory=dict)


ARM = {POOL: "arm"}
TROUBLES = {
    "cordoned": Trouble(
        on("cordoned"),
        "Worker 0 fits no node: every node that fits is cordoned: cordoned. `kubectl uncordon` lets pods on it again.",
        uncordon,
    ),
    "tainted": Trouble(
        on("tainted"),
        "it needs a node whose taints it tolerates (spec.workers.tolerations); the nodes that fit have the taint "
        "dedicated=present:NoSchedule (on 1 node).",
        reruns(workers={"tolerations": [{"key": "dedicated", "operator": "Exists"}]}),
    ),
    "arm": Trouble(
        on("arm", nodeSelector={**ARM, "kubernetes.io/arch": "amd64"}),
        "it needs a node with the label kubernetes.io/arch=amd64; those nodes have kubernetes.io/arch arm64 (on 1 node).",
        reruns(workers={"nodeSelector": {"kubernetes.io/arch": None}}),
    ),
    "one-node": Trouble(
        on("small", replicas=2),
        "the 2 workers must be on one node, because the claim alone (spec.output.persistentVolumeClaim.claimName) is "
        "ReadWriteOnce, and the largest has room for 1 of them when empty. Make the claim ReadWriteMany, or read from and "
        "write to an object store.",
        reruns(output={"persistentVolumeClaim": {"claimName": CLAIM}}),
        run={"spec__output": {"persistentVolumeClaim": {"claimName": "alone"}}},
    ),
}


async def test_what_no_node_takes_is_said_with_the_way_out_which_works(places: Lab) -> None:
    async def look(first: Stage) -> None:
        runs = {name: replace(first, name=f"{first.name}-{name}") for name in TROUBLES}
        volume = await give_claim(first, "alone")
        try:
            await asyncio.gather(*(suffer(runs[name], trouble) for name, trouble in TROUBLES.items()))
        finally:
            for run in runs.values():
                await run.delete()
                await run.until_nothing_is_left()
            await first.api.delete(volume)

    await play(places, look)


async def suffer(stage: Stage, trouble: Trouble) -> None:
    await stage.create(spec__workers=trouble.workers, **trouble.run)
    await stage.wait(f"to say: {trouble.sentence}", lambda: says(stage, trouble.sentence))
    await trouble.mend(stage)
    await stage.until("Running")
    await stage.succeed()
    await stage.until("Succeeded")
    assert (await stage.run())["status"]["restarts"] == 0


async def says(stage: Stage, sentence: str) -> bool:
    """Whether the run says what it waits for in these words."""
    conditions = (await stage.run()).get("status", {}).get("conditions", ())
    return any(sentence in each["message"] for each in conditions)


async def give_claim(stage: Stage, name: str) -> str:
    """A claim that one node may mount, with its volume; returns the volume's path."""
    ask = {"accessModes": ["ReadWriteOnce"], "storageClassName": ""}
    volume = f"{stage.namespace}-{name}"
    about = {"kind": "PersistentVolumeClaim", "name": name, "namespace": stage.namespace}
    held = {**ask, "capacity": {"storage": "1Gi"}, "hostPath": {"path": "/nonexistent"}, "claimRef": about}
    asked = {**ask, "volumeName": volume, "resources": {"requests": {"storage": "1Gi"}}}
    await stage.api.create("api/v1/persistentvolumes", {"metadata": {"name": volume}, "spec": held})
    await stage.api.create(
        f"api/v1/namespaces/{stage.namespace}/persistentvolumeclaims", {"metadata": {"name": name}, "spec": asked}
    )
    return f"api/v1/persistentvolumes/{volume}"


async def test_a_node_that_is_lost_with_worker_0_costs_no_restart(places: Lab) -> None:
    async def lose(stage: Stage) -> None:
        workers = on("doomed", replicas=2, terminationGracePeriodSeconds=1)
        await stage.create(spec__workers=workers, spec__recovery={"lostNode": "Replace", "maximumRestarts": 0})
        await stage.until("Running")
        pod = await worker_0(stage)
        node = pod["spec"]["nodeName"]
        await lose_node(stage, node, pod)
        try:
            await stage.wait("to name its node", lambda: says(stage, f"The node {node} of worker 0 does not answer"))
            await stage.until("Running", attempt=2)
            status = (await stage.run())["status"]
            assert [past["cause"] for past in status["history"]] == ["NodeLost"]
            assert status["restarts"] == 0
            assert node not in {each["spec"].get("nodeName") for each in await pods(stage) if attempt(each) == 2}
            await stage.succeed()
            await stage.until("Succeeded")
        finally:
            await stage.api.merge(path_of(stage, pod), {"metadata": {"annotations": {LOST: None}}})

    await play(places, lose)


async def lose_node(stage: Stage, node: str, pod: Object) -> None:
    """Nobody plays the node and its pod any more, and its last heartbeat is long ago, as the node controller sees it."""
    lost = {"metadata": {"annotations": {LOST: "true"}}}
    await stage.api.merge(path_of(stage, pod), lost)
    await stage.api.merge(f"api/v1/nodes/{node}", lost)
    ready = {
        "type": "Ready",
        "status": "Unknown",
        "reason": "NodeStatusUnknown",
        "message": "Kubelet stopped posting node status.",
    }
    await stage.api.merge(f"api/v1/nodes/{node}/status", {"status": {"conditions": [ready]}})


async def worker_0(stage: Stage) -> Object:
    index = "batch.kubernetes.io/job-completion-index"
    return next(pod for pod in await pods(stage) if pod["metadata"]["labels"][index] == "0")


async def pods(stage: Stage) -> list[Object]:
    """Pods of the run, of all attempts."""
    return await stage.api.list(CHILDREN["Pod"].format(stage.namespace), selector=f"trainingrun.dev/run={stage.name}")


def attempt(pod: Object) -> int:
    return int(pod["metadata"]["labels"]["trainingrun.dev/attempt"])


def path_of(stage: Stage, pod: Object) -> str:
    return f"{CHILDREN['Pod'].format(stage.namespace)}/{pod['metadata']['name']}"
