"""`spec.workers.accelerator` on a real API server: every rule both ways."""

from typing import Any

import pytest

from tests.manifests import a_manifest
from tests.schema.applying import dry_run, refusal
from tools.kubectl import Kubectl

SLICE = {"type": "tpu-v5-lite-podslice", "topology": "2x4", "chips": 8}


def gpus(**fields: Any) -> dict[str, Any]:
    """`spec` of workers with GPUs."""
    return {"spec__workers": {"accelerator": {"gpu": fields}}}


def chips(*, replicas: int = 1, **fields: Any) -> dict[str, Any]:
    """`spec` of workers with TPU chips."""
    return {"spec__workers": {"replicas": replicas, "accelerator": {"tpu": {**SLICE, **fields}}}}


ACCEPTED: dict[str, dict[str, Any]] = {
    "one GPU": gpus(),
    "what the GPUs must be able to do": gpus(
        count=8, product="NVIDIA-A100-SXM4-40GB", minimumMemory="40G", minimumComputeCapability=8.0
    ),
    "another maker's GPUs": gpus(count=2, resourceName="amd.com/gpu"),
    "a rank for each GPU, said": {"spec__workers": {"processesPerWorker": 4, "accelerator": {"gpu": {"count": 4}}}},
    "one GPU without Horovod": {**gpus(), "spec__strategy__type": "Single"},
    "a slice on one node": chips(),
    "a slice on four nodes": chips(replicas=4, topology="4x4", chips=4),
    "a cube": chips(type="tpu-v4-podslice", replicas=2, topology="2x2x2", chips=4),
    "a single chip": chips(topology="1x1", chips=1),
    "TPUStrategy, said": {**chips(), "spec__strategy__type": "TPU"},
}

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "neither": (
        {"spec__workers": {"accelerator": {}}},
        "workers.accelerator needs exactly one of gpu and tpu: keep one, or remove workers.accelerator to train on CPUs",
    ),
    "both": (
        {"spec__workers": {"accelerator": {"gpu": {}, "tpu": SLICE}}},
        "workers.accelerator needs exactly one of gpu and tpu: keep one",
    ),
    "TPU chips as a GPU": (
        gpus(resourceName="google.com/tpu"),
        "workers.accelerator.gpu.resourceName google.com/tpu is no GPU: use workers.accelerator.tpu",
    ),
    "a resource of Kubernetes": (
        gpus(resourceName="node.kubernetes.io/gpu"),
        "workers.accelerator.gpu.resourceName node.kubernetes.io/gpu belongs to Kubernetes: use the resource of a",
    ),
    "a resource without a domain": (gpus(resourceName="gpu"), "spec.workers.accelerator.gpu.resourceName"),
    "hardly any memory": (
        gpus(minimumMemory="24"),
        "workers.accelerator.gpu.minimumMemory 24 must be at least 1M, for example 24G",
    ),
    "a product of an unlabelled maker": (
        gpus(resourceName="amd.com/gpu", product="MI300X"),
        "workers.accelerator.gpu.product is compared with the label nvidia.com/gpu.product, which nodes with amd.com/gpu do "
        "not have: remove product and choose nodes with workers.nodeSelector, or use nvidia.com/gpu",
    ),
    "memory of an unlabelled maker": (
        gpus(resourceName="amd.com/gpu", minimumMemory="24G"),
        "workers.accelerator.gpu.minimumMemory is compared with the label nvidia.com/gpu.memory",
    ),
    "capability of an unlabelled maker": (
        gpus(resourceName="amd.com/gpu", minimumComputeCapability=8.0),
        "workers.accelerator.gpu.minimumComputeCapability is compared with the label nvidia.com/gpu.compute.major and minor",
    ),
    "a capability in words": (gpus(minimumComputeCapability="Ampere"), "minimumComputeCapability"),
    "more ranks than GPUs": (
        {"spec__workers": {"processesPerWorker": 4, "accelerator": {"gpu": {"count": 2}}}},
        "workers.processesPerWorker 4 differs from workers.accelerator.gpu.count 2, but each GPU has one rank: remove",
    ),
    "GPUs without a rank": (
        {"spec__workers": {"processesPerWorker": 1, "accelerator": {"gpu": {"count": 2}}}},
        "workers.processesPerWorker 1 differs from workers.accelerator.gpu.count 2",
    ),
    "two GPUs in one process": (
        {**gpus(count=2), "spec__strategy__type": "Single"},
        "strategy.type Single trains in one process, but workers.replicas is 1 with 2 ranks each: use one worker with one",
    ),
    "too few workers for the slice": (
        chips(chips=4),
        "workers.replicas 1 with workers.accelerator.tpu.chips 4 are 4 chips, but topology 2x4 has 8: change replicas so that",
    ),
    "too many workers for the cube": (
        chips(topology="2x2x2", chips=8, replicas=2),
        "workers.replicas 2 with workers.accelerator.tpu.chips 8 are 16 chips, but topology 2x2x2 has 8",
    ),
    "no topology": (chips(topology="eight"), "spec.workers.accelerator.tpu.topology"),
    "an impossible number of chips": (chips(chips=3), "spec.workers.accelerator.tpu.chips"),
    "several processes with TPU chips": (
        {"spec__workers": {"processesPerWorker": 8, "accelerator": {"tpu": SLICE}}},
        "workers.processesPerWorker 8 is too many: one process drives all TPU chips of a worker. Remove processesPerWorker",
    ),
    "a selector beside the slice": (
        {
            "spec__workers": {
                "nodeSelector": {"cloud.google.com/gke-tpu-topology": "4x4"},
                "accelerator": {"tpu": SLICE},
            }
        },
        "workers.nodeSelector must not name cloud.google.com/gke-tpu-accelerator or cloud.google.com/gke-tpu-topology: say it",
    ),
    "Horovod on TPUs": (
        {**chips(), "spec__strategy__type": "Horovod"},
        "strategy.type Horovod does not run on TPUs: remove strategy.type, which then is TPU, or use workers.accelerator.gpu",
    ),
    "TPUStrategy on CPUs": (
        {"spec__strategy__type": "TPU"},
        "strategy.type TPU needs TPU chips: add workers.accelerator.tpu, or remove strategy.type",
    ),
    "Horovod's compression on TPUs": (
        {**chips(), "spec__strategy__gradientCompression": "FP16"},
        "strategy.gradientCompression FP16 is for Horovod, which does not run on TPUs: remove it",
    ),
}


@pytest.mark.parametrize("changes", ACCEPTED.values(), ids=ACCEPTED)
def test_it_accepts(kubectl: Kubectl, changes: dict[str, Any]) -> None:
    dry_run(kubectl, a_manifest(**changes))


@pytest.mark.parametrize(("changes", "words"), REFUSED.values(), ids=REFUSED)
def test_it_refuses_and_says_why(kubectl: Kubectl, changes: dict[str, Any], words: str) -> None:
    assert words in refusal(kubectl, a_manifest(**changes))


def test_a_gpu_is_one_of_nvidia_by_default(kubectl: Kubectl) -> None:
    stored = dry_run(kubectl, a_manifest(**gpus()))
    assert stored["spec"]["workers"]["accelerator"] == {"gpu": {"count": 1, "resourceName": "nvidia.com/gpu"}}
