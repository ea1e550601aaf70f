"""When no node can ever hold a worker, the run says what it needs and what the cluster has instead."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.builders import CONFIG, NOON, a_claim, a_pod, an_active_run, children, stamp
from trainingrun_operator.decide import decide
from trainingrun_operator.decision import Decision
from trainingrun_operator.life import phase_of
from trainingrun_operator.model import Observed
from trainingrun_operator.observe import observe, observe_nodes
from trainingrun_operator.policies.fit import why_nothing_fits

Raw = dict[str, Any]

L4 = {"product": "NVIDIA-L4", "memory": "23034", "compute.major": "8", "compute.minor": "9"}
T4 = {"product": "Tesla-T4", "memory": "15360", "compute.major": "7", "compute.minor": "5"}
TPU = {"type": "tpu-v5-lite-podslice", "topology": "2x4", "chips": 4}
ASK_FOR_LESS = "Ask for less, or for what there is, in spec.workers, or add such nodes."
LOWER_REQUESTS = "Lower spec.workers.resources.requests, or add nodes."
UNSCHEDULABLE = [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes are available."}]


def a_node(
    name: str = "n",
    *,
    cpu: str = "32",
    memory: str = "128Gi",
    taints: tuple[Raw, ...] = (),
    labels: Raw | None = None,
    cordoned: bool = False,
    **more: str,
) -> Raw:
    """A node; `more` are extended resources without their domain."""
    extended = {name.replace("_", ".com/"): amount for name, amount in more.items()}
    return {
        "metadata": {"name": name, "labels": {"kubernetes.io/os": "linux", **(labels or {})}},
        "spec": {"taints": list(taints), **({"unschedulable": True} if cordoned else {})},
        "status": {"allocatable": {"cpu": cpu, "memory": memory, **extended}},
    }


def a_gpu_node(labels: Raw, *, gpus: int = 8, **parts: Any) -> Raw:
    """A node with GPUs, as GPU feature discovery labels it."""
    found = {f"nvidia.com/gpu.{name}": value for name, value in labels.items()}
    return a_node(labels=found, nvidia_gpu=str(gpus), **parts)


def a_tpu_node(topology: str = "2x4", kind: str = "tpu-v5-lite-podslice", chips: str = "4") -> Raw:
    """A node of a slice on GKE."""
    labels = {"cloud.google.com/gke-tpu-accelerator": kind, "cloud.google.com/gke-tpu-topology": topology}
    return a_node(labels=labels, google_tpu=chips)


def a_taint(key: str, value: str = "", effect: str = "NoSchedule") -> Raw:
    return {"key": key, "value": value, "effect": effect}


def gpu(**fields: Any) -> Raw:
    return {"accelerator": {"gpu": fields}}


def asking(**requests: str) -> Raw:
    return {"resources": {"requests": requests}}


MISFITS: dict[str, tuple[Raw, list[Raw], str]] = {
    "limits alone, which are requests then": (
        {"resources": {"limits": {"cpu": "20"}}},
        [a_node(cpu="32")],
        "the 2 workers run at once, and the nodes that fit have room for 1 of them when empty.",
    ),
    "no GPUs at all": (gpu(count=2), [a_node()], "it needs 2 GPUs on one node; no node offers nvidia.com/gpu."),
    "another maker": (
        gpu(resourceName="amd.com/gpu"),
        [a_gpu_node(L4)],
        "it needs 1 GPU on one node; no node offers amd.com/gpu.",
    ),
    "another product": (
        gpu(product="NVIDIA-H100"),
        [a_gpu_node(T4), a_gpu_node(L4), a_gpu_node(L4), a_node()],
        "it needs 1 GPU of product NVIDIA-H100 on one node; those nodes have nvidia.com/gpu.product NVIDIA-L4 (on 2 nodes), "
        "Tesla-T4 (on 1 node).",
    ),
    "too little memory, as marketed": (
        gpu(count=8, minimumMemory="40G"),
        [a_gpu_node(L4), a_gpu_node(L4), a_gpu_node(L4), a_gpu_node(T4)],
        "it needs 8 GPUs with at least 40G on one node; the largest is 24G, on 3 nodes.",
    ),
    "too little memory, in powers of two": (
        gpu(minimumMemory="24Gi"),
        [a_gpu_node(L4)],
        "it needs 1 GPU with at least 24Gi on one node; the largest is 22Gi, on 1 node.",
    ),
    "nodes without labels": (
        gpu(minimumMemory="40G"),
        [a_gpu_node({})],
        "it needs 1 GPU with at least 40G on one node; no such node has the label nvidia.com/gpu.memory.",
    ),
    "too old": (
        gpu(minimumComputeCapability="8.6"),
        [a_gpu_node(T4), a_gpu_node({**L4, "compute.minor": "0"})],
        "it needs 1 GPU with compute capability 8.6 on one node; the largest is 8.0, on 1 node.",
    ),
    "too few on one node": (
        gpu(count=8, minimumMemory="20G"),
        [a_gpu_node(L4, gpus=4), a_gpu_node(L4, gpus=4), a_gpu_node(T4, gpus=8)],
        "it needs 8 GPUs with at least 20G on one node; the largest has 4, on 2 nodes.",
    ),
    "too few CPUs beside the GPUs": (
        {**gpu(), **asking(cpu="64")},
        [a_gpu_node(L4), a_node(cpu="96")],
        "it needs 64 CPUs on one node; the largest has 32, on 1 node.",
    ),
    "too little memory of the node, where the limit is the request": (
        {"resources": {"limits": {"memory": "1Ti"}}},
        [a_node()],
        "it needs 1Ti of memory on one node; the largest has 128Gi, on 1 node.",
    ),
    "no such label": (
        {"nodeSelector": {"zone": "c"}},
        [a_node(labels={"zone": "a"}), a_node(labels={"zone": "b"}), a_node(labels={"zone": "a"})],
        "it needs a node with the label zone=c; those nodes have zone a (on 2 nodes), b (on 1 node).",
    ),
    "a taint": (
        gpu(),
        [a_gpu_node(L4, taints=(a_taint("dedicated", "ml"),)), a_node()],
        "it needs a node whose taints it tolerates (spec.workers.tolerations); the nodes that fit have the taint "
        "dedicated=ml:NoSchedule (on 1 node).",
    ),
    "another TPU": (
        {"accelerator": {"tpu": TPU}},
        [a_tpu_node(kind="tpu-v4-podslice")],
        "it needs 4 TPU chips of tpu-v5-lite-podslice in a slice of 2x4; those nodes have "
        "cloud.google.com/gke-tpu-accelerator tpu-v4-podslice (on 1 node).",
    ),
    "another topology": (
        {"accelerator": {"tpu": TPU}},
        [a_tpu_node(topology="4x4")],
        "it needs 4 TPU chips of tpu-v5-lite-podslice in a slice of 2x4; those nodes have "
        "cloud.google.com/gke-tpu-topology 4x4 (on 1 node).",
    ),
    "other processors": (
        {"nodeSelector": {"kubernetes.io/arch": "amd64"}},
        [a_node(labels={"kubernetes.io/arch": "arm64"}), a_node(labels={"kubernetes.io/arch": "arm64"})],
        "it needs a node with the label kubernetes.io/arch=amd64; those nodes have kubernetes.io/arch arm64 (on 2 nodes).",
    ),
    "all cordoned": (
        asking(cpu="20"),
        [a_node("big", cordoned=True), a_node("huge", cordoned=True), a_node("small", cpu="4")],
        "every node that fits is cordoned: big, huge. `kubectl uncordon` lets pods on them again.",
    ),
    "too few that are not cordoned": (
        asking(cpu="20"),
        [a_node("big", cordoned=True), a_node("huge")],
        "the 2 workers run at once, and the nodes that fit have room for 1 of them when empty. Cordoned: big. "
        "`kubectl uncordon` lets pods on it again.",
    ),
    "many cordoned": (
        asking(cpu="1"),
        [a_node(f"n{number}", cordoned=True) for number in range(9)],
        "every node that fits is cordoned: n0, n1, n2 and 6 more. `kubectl uncordon` lets pods on them again.",
    ),
    "too few, and one of them cordoned": (
        asking(cpu="30", memory="100Gi"),
        [a_node("big", cordoned=True)],
        "the 2 workers run at once, and the nodes that fit have room for 1 of them when empty.",
    ),
    "one place for two": (
        gpu(count=8),
        [a_gpu_node(L4), a_node()],
        "the 2 workers run at once, and the nodes that fit have room for 1 of them when empty.",
    ),
}

FITS: dict[str, tuple[Raw, list[Raw]]] = {
    "just so": (
        {**gpu(count=4, minimumMemory="24G", minimumComputeCapability="8.9", product="NVIDIA-L4"), **asking(cpu="16")},
        [a_gpu_node(L4, taints=(a_taint("nvidia.com/gpu", "present"),))],
    ),
    "a newer generation with a smaller minor number": (
        gpu(count=1, minimumComputeCapability="8.9"),
        [a_gpu_node({**L4, "compute.major": "9", "compute.minor": "0"})],
    ),
    "nothing asked for": ({}, [a_node()]),
    "a cordoned node that is not needed": (asking(cpu="1"), [a_node(cordoned=True), a_node()]),
    "a node that comes back": (asking(cpu="1"), [a_node(taints=(a_taint("node.kubernetes.io/unreachable"),))]),
    "a node that would rather not": (asking(cpu="1"), [a_node(taints=(a_taint("old", effect="PreferNoSchedule"),))]),
    "a taint of the user's": (
        {"tolerations": [{"key": "dedicated", "operator": "Equal", "value": "ml"}]},
        [a_node(taints=(a_taint("dedicated", "ml"),))],
    ),
    "a slice": ({"accelerator": {"tpu": TPU}}, [a_tpu_node(), a_tpu_node()]),
    "nothing reserved": ({"resources": {"requests": {"cpu": "0"}}}, [a_node(taints=())]),
}


def misfit(workers: Raw, nodes: list[Raw] | None) -> str | None:
    run = an_active_run(spec__workers={"replicas": 2, **workers})
    return why_nothing_fits(phase_of(run, world(nodes), now=NOON, config=CONFIG))


def world(nodes: list[Raw] | None, **parts: Any) -> Observed:
    claim = a_claim(modes=parts.get("modes", ("ReadWriteMany",)))
    observed = observe(children=parts.get("children", ()), pods=parts.get("pods", ()), claims={"models": claim})
    return replace(observed, nodes=observe_nodes(nodes) if nodes is not None else None)


@pytest.mark.parametrize(("workers", "nodes", "sentence"), MISFITS.values(), ids=MISFITS)
def test_it_says_what_is_needed_and_what_there_is(workers: Raw, nodes: list[Raw], sentence: str) -> None:
    assert misfit(workers, nodes) == sentence


@pytest.mark.parametrize(("workers", "nodes"), FITS.values(), ids=FITS)
def test_a_node_that_is_only_full_now_is_not_complained_about(workers: Raw, nodes: list[Raw]) -> None:
    assert misfit(workers, nodes) is None


def test_workers_that_share_a_claim_of_one_node_must_all_fit_on_one() -> None:
    run = an_active_run(spec__workers={"replicas": 2, **gpu(count=4)})
    nodes = [a_gpu_node(L4, gpus=4), a_gpu_node(L4, gpus=4)]

    def why(*nodes: Raw, modes: str) -> str | None:
        return why_nothing_fits(phase_of(run, world(list(nodes), modes=(modes,)), now=NOON, config=CONFIG))

    assert why(*nodes, modes="ReadWriteMany") is None
    assert why(a_gpu_node(L4, gpus=8), modes="ReadWriteOnce") is None
    assert why(*nodes, modes="ReadWriteOnce") == (
        "the 2 workers must be on one node, because the claim models (spec.output.persistentVolumeClaim.claimName) is "
        "ReadWriteOnce, and the largest has room for 1 of them when empty. Make the claim ReadWriteMany, or read from and "
        "write to an object store."
    )


def test_without_a_look_at_the_nodes_nothing_is_said_about_them() -> None:
    assert misfit(gpu(count=16), None) is None


def waiting(nodes: list[Raw] | None) -> Decision:
    run = an_active_run(spec__workers={"replicas": 2, **gpu(count=16)})
    pods = [a_pod(index, phase="Pending", ready=False, waiting={}, conditions=UNSCHEDULABLE) for index in (0, 1)]
    return decide(run, world(nodes, children=children(run), pods=pods), now=NOON, config=CONFIG)


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        (
            [a_gpu_node(L4)],
            f"Worker 0 fits no node: it needs 16 GPUs on one node; the largest has 8, on 1 node. {ASK_FOR_LESS}",
        ),
        ([a_gpu_node(L4, gpus=32)], f"Worker 0 fits no node: 0/1 nodes are available. {LOWER_REQUESTS}"),
        (None, f"Worker 0 fits no node: 0/1 nodes are available. {LOWER_REQUESTS}"),
    ],
    ids=["never", "not now", "nobody may look"],
)
def test_the_status_says_it_and_the_run_is_not_stalled(nodes: list[Raw] | None, words: str) -> None:
    status = waiting(nodes).status
    reconciling = status.condition("Reconciling")
    assert reconciling is not None
    assert (reconciling.reason, reconciling.message) == ("Unschedulable", words)
    assert status.condition("Stalled") is None


def test_a_gang_that_got_its_last_place_late_has_its_time_to_start_and_is_not_given_up() -> None:
    run = an_active_run(spec__workers={"replicas": 2, **gpu()}, spec__recovery={"startTimeoutSeconds": 30})
    bound = {"type": "PodScheduled", "status": "True", "lastTransitionTime": stamp(NOON - timedelta(seconds=5))}
    pods = [a_pod(0), a_pod(1, phase="Pending", ready=False, waiting={}, conditions=[bound])]
    decision = decide(run, world(None, children=children(run), pods=pods), now=NOON, config=CONFIG)
    assert decision.status.stopping is None
    assert decision.requeue_after is not None
    assert 0 < decision.requeue_after <= 25
