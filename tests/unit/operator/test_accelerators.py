"""What each kind of accelerator becomes in the pods of its workers, and which other objects it needs."""

from dataclasses import replace
from typing import Any

import pytest

from tests.builders import CONFIG, NOON, a_claim, a_run, an_active_run, children
from tests.pods import a_pod_with, by_name, the_container
from trainingrun.api import AcceleratorKind, TrainingRun
from trainingrun.api.quantities import amount
from trainingrun_operator.children.config_map import attempt_config
from trainingrun_operator.config import OperatorConfig
from trainingrun_operator.decide import decide
from trainingrun_operator.decision import Decision
from trainingrun_operator.observe import observe
from trainingrun_operator.settings import Settings

Raw = dict[str, Any]

SLICE = {"type": "tpu-v5-lite-podslice", "topology": "2x4", "chips": 4}
IMAGES = replace(CONFIG, accelerator_images={AcceleratorKind.GPU: "trainer-gpu:1"})


def gpu(**fields: Any) -> Raw:
    """`spec.workers` with GPUs."""
    return {"accelerator": {"gpu": fields}}


def tpu(**fields: Any) -> Raw:
    """`spec.workers` with TPU chips."""
    return {"accelerator": {"tpu": {**SLICE, **fields}}}


RESOURCES: dict[str, tuple[Raw, Raw]] = {
    "a GPU": (gpu(), {"nvidia.com/gpu": 1}),
    "eight of another maker": (gpu(count=8, resourceName="amd.com/gpu"), {"amd.com/gpu": 8}),
    "TPU chips": (tpu(), {"google.com/tpu": 4}),
}


@pytest.mark.parametrize(("workers", "resources"), RESOURCES.values(), ids=RESOURCES)
def test_accelerators_are_asked_for_as_much_as_they_are_limited(workers: Raw, resources: Raw) -> None:
    asked = {"requests": {"cpu": "1"}, "limits": {"memory": "2Gi"}}
    found = the_container(a_pod_with(resources=asked, **workers))["resources"]
    assert found == {"requests": {"cpu": "1", **resources}, "limits": {"memory": "2Gi", **resources}}


def greater(label: str, number: int) -> Raw:
    """An expression of a node selector term."""
    return {"key": f"nvidia.com/gpu.{label}", "operator": "Gt", "values": [str(number)]}


def one_of(label: str, value: str) -> Raw:
    """An expression of a node selector term."""
    return {"key": f"nvidia.com/gpu.{label}", "operator": "In", "values": [value]}


TERMS: dict[str, tuple[Raw, list[list[Raw]]]] = {
    "a product": ({"product": "NVIDIA-L4"}, [[one_of("product", "NVIDIA-L4")]]),
    "memory as marketed, of which a label says 22,888 MiB": ({"minimumMemory": "24G"}, [[greater("memory", 22887)]]),
    "memory in powers of two": ({"minimumMemory": "24Gi"}, [[greater("memory", 24575)]]),
    "next to no memory": ({"minimumMemory": "1M"}, [[greater("memory", 0)]]),
    "a whole capability": ({"minimumComputeCapability": 8.0}, [[greater("compute.major", 7)]]),
    "a capability within a generation": (
        {"minimumComputeCapability": 8.6},
        [[greater("compute.major", 8)], [one_of("compute.major", "8"), greater("compute.minor", 5)]],
    ),
    "all of it": (
        {"product": "NVIDIA-L4", "minimumMemory": 24000000000, "minimumComputeCapability": 8.9},
        [
            [one_of("product", "NVIDIA-L4"), greater("memory", 22887), greater("compute.major", 8)],
            [
                one_of("product", "NVIDIA-L4"),
                greater("memory", 22887),
                one_of("compute.major", "8"),
                greater("compute.minor", 8),
            ],
        ],
    ),
}


@pytest.mark.parametrize(("fields", "terms"), TERMS.values(), ids=TERMS)
def test_what_a_gpu_must_be_able_to_do_is_asked_of_the_node(fields: Raw, terms: list[list[Raw]]) -> None:
    affinity = a_pod_with(**gpu(**fields))["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert affinity == {"nodeSelectorTerms": [{"matchExpressions": expressions} for expressions in terms]}


def test_a_gpu_that_may_be_any_asks_nothing_of_the_node() -> None:
    assert "affinity" not in a_pod_with(**gpu())


def test_chips_are_on_nodes_of_their_slice_and_where_the_user_says() -> None:
    pod = a_pod_with(nodeSelector={"zone": "a"}, **tpu())
    assert pod["nodeSelector"] == {
        "kubernetes.io/os": "linux",
        "zone": "a",
        "cloud.google.com/gke-tpu-accelerator": "tpu-v5-lite-podslice",
        "cloud.google.com/gke-tpu-topology": "2x4",
    }


TAINTS: dict[str, tuple[Raw, list[str]]] = {
    "nvidia": (gpu(), ["nvidia.com/gpu"]),
    "amd": (gpu(resourceName="amd.com/gpu"), ["amd.com/gpu"]),
    "a part of a GPU": (gpu(resourceName="nvidia.com/mig-1g.5gb"), ["nvidia.com/mig-1g.5gb", "nvidia.com/gpu"]),
    "tpu": (tpu(), ["google.com/tpu"]),
    "none": ({}, []),
}


@pytest.mark.parametrize(("workers", "taints"), TAINTS.values(), ids=TAINTS)
def test_the_taint_that_keeps_others_away_is_tolerated(workers: Raw, taints: list[str]) -> None:
    others = [each for each in a_pod_with(**workers)["tolerations"] if "tolerationSeconds" not in each]
    assert others == [{"key": taint, "operator": "Exists", "effect": "NoSchedule"} for taint in taints]


SHARED: dict[str, tuple[Raw, str | None]] = {
    "one GPU": (gpu(), None),
    "several": (gpu(count=2), "1Gi"),
    "several, and the user knows better": ({**gpu(count=2), "sharedMemory": "8Gi"}, "8Gi"),
    "chips": (tpu(), None),
}


@pytest.mark.parametrize(("workers", "size"), SHARED.values(), ids=SHARED)
def test_several_gpus_have_room_to_talk_to_each_other(workers: Raw, size: str | None) -> None:
    pod = a_pod_with(**workers)
    volume = by_name(pod["volumes"]).get("shared-memory")
    assert (volume and volume["emptyDir"]["sizeLimit"]) == size
    assert ("shared-memory" in by_name(the_container(pod)["volumeMounts"])) is (size is not None)


def test_workers_of_a_slice_know_themselves_and_each_other_by_name() -> None:
    pod = a_pod_with(**tpu())
    variables = by_name(the_container(pod)["env"])
    assert pod["subdomain"] == "mnist-1-hosts"
    assert variables["TPU_WORKER_HOSTNAMES"] == {"value": "mnist-1-0.mnist-1-hosts,mnist-1-1.mnist-1-hosts"}
    field = "metadata.labels['batch.kubernetes.io/job-completion-index']"
    assert variables["TPU_WORKER_ID"] == {"valueFrom": {"fieldRef": {"fieldPath": field}}}


@pytest.mark.parametrize("workers", [{**tpu(chips=8), "replicas": 1}, gpu(count=8), {}], ids=["one node", "GPUs", "CPUs"])
def test_only_a_slice_over_several_nodes_needs_names(workers: Raw) -> None:
    pod = a_pod_with(**workers)
    assert "subdomain" not in pod
    assert not [name for name in by_name(the_container(pod)["env"]) if name.startswith("TPU_")]


def look(run: TrainingRun, *, config: OperatorConfig = CONFIG, **world: Any) -> Decision:
    observed = observe(children=world.get("children", ()), pods=(), claims={"models": a_claim(modes=("ReadWriteMany",))})
    return decide(run, observed, now=NOON, config=config)


def test_a_slice_has_a_service_of_host_names_besides_that_of_the_rendezvous() -> None:
    run = an_active_run(spec__workers={"replicas": 2, **tpu()}, status={"timeline": None})
    hosts, *others = look(run, children=children(run, without=("Job", "ConfigMap", "NetworkPolicy"))).create
    assert [made["kind"] for made in others] == ["ConfigMap", "NetworkPolicy", "Job"]
    assert (hosts["kind"], hosts["metadata"]["name"]) == ("Service", "mnist-1-hosts")
    assert hosts["spec"]["clusterIP"] == "None"
    assert hosts["spec"]["publishNotReadyAddresses"] is True
    pods = others[-1]["spec"]["template"]["metadata"]["labels"]
    assert hosts["spec"]["selector"].items() <= pods.items()


RESOLVED: dict[str, tuple[Raw, tuple[str, int, str | None, int, int | None]]] = {
    "CPUs": ({"replicas": 2}, ("Horovod", 1, None, 0, 128)),
    "GPUs": ({"replicas": 2, **gpu(count=4)}, ("Horovod", 4, "GPU", 8, 512)),
    "a GPU": ({"replicas": 1, **gpu()}, ("Single", 1, "GPU", 1, 64)),
    "a slice": ({"replicas": 2, **tpu()}, ("TPU", 1, "TPU", 8, 512)),
}


@pytest.mark.parametrize(("workers", "expected"), RESOLVED.values(), ids=RESOLVED)
def test_each_gpu_has_a_rank_and_each_chip_a_batch(workers: Raw, expected: tuple[str, int, str | None, int, int]) -> None:
    found = look(a_run(spec__workers=workers, spec__image="trainer:2")).status.resolved
    assert found is not None
    assert (
        found.strategy,
        found.processes_per_worker,
        found.accelerator,
        found.accelerators,
        found.global_batch_size,
    ) == expected


def test_the_trainer_is_told_of_its_accelerators() -> None:
    run = a_run(spec__workers={"replicas": 2, **gpu(count=4)}, spec__image="trainer:2")
    resolved = look(run).status.resolved
    assert resolved is not None
    told = attempt_config(run, attempt=1, resolved=resolved)
    assert (told.accelerator, told.accelerators_per_worker, told.accelerators) == (AcceleratorKind.GPU, 4, 8)


def test_the_operators_image_for_gpus_is_that_of_runs_with_gpus() -> None:
    found = look(a_run(spec__workers={"replicas": 2, **gpu()}), config=IMAGES).status.resolved
    assert found is not None
    assert found.image == "trainer-gpu:1"


def test_without_an_image_for_the_accelerator_the_run_waits_and_says_so() -> None:
    status = look(a_run(spec__workers={"replicas": 2, **tpu()}), config=IMAGES).status
    condition = status.condition("Succeeded")
    assert condition is not None
    assert (status.attempt, condition.reason) == (0, "ImageNotGiven")
    assert "the operator has no trainer image for TPUs: set spec.image together with a new value of spec.rerun" in (
        condition.message
    )


def test_the_deployment_says_the_images() -> None:
    environment = {"TRAINER_IMAGE": "a", "TRAINER_IMAGE_GPU": "b", "TRAINER_IMAGE_TPU": ""}
    assert Settings.from_environment(environment).config.accelerator_images == {AcceleratorKind.GPU: "b"}


QUANTITIES = {"1": 1, "500m": 0.5, "24G": 24e9, "24Gi": 24 * 2**30, "1.5k": 1500, "1e3": 1000, "1E": 1e18, "2Pi": 2 * 2**50}


@pytest.mark.parametrize(("text", "value"), QUANTITIES.items())
def test_a_quantity_has_a_value(text: str, value: float) -> None:
    assert amount(text) == pytest.approx(value)


def test_what_is_no_quantity_is_refused() -> None:
    with pytest.raises(ValueError, match="1Zi is not a quantity"):
        amount("1Zi")
