"""`spec.strategy` on a real API server: every rule of transport, fusion and cycle both ways."""

from typing import Any

import pytest

from tests.manifests import a_manifest
from tests.schema.applying import dry_run, refusal
from tools.kubectl import Kubectl

TWO = {"replicas": 2}
CHIPS = {"accelerator": {"tpu": {"type": "tpu-v5-lite-podslice", "topology": "2x4", "chips": 8}}}
FOR_HOROVOD = "are for Horovod, which does not run on TPUs: remove them"

ACCEPTED: dict[str, dict[str, Any]] = {
    "MPI between workers": {"workers": TWO, "strategy": {"transport": "MPI"}},
    "MPI in a worker": {"workers": {"processesPerWorker": 2}, "strategy": {"transport": "MPI"}},
    "MPI between GPUs": {"workers": {"accelerator": {"gpu": {"count": 2}}}, "strategy": {"transport": "MPI"}},
    "the largest messages": {"workers": TWO, "strategy": {"fusionThreshold": "1Gi"}},
    "no fusion": {"workers": TWO, "strategy": {"fusionThreshold": 0}},
    "the shortest cycle": {"workers": TWO, "strategy": {"cycleTimeMilliseconds": 0.01}},
    "the longest cycle": {"workers": TWO, "strategy": {"cycleTimeMilliseconds": 1000}},
}

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "MPI for one rank": (
        {"strategy": {"transport": "MPI"}},
        "strategy.transport MPI connects ranks, but there is one: raise workers.replicas or workers.processesPerWorker, or",
    ),
    "MPI for a TPU": ({"workers": CHIPS, "strategy": {"transport": "MPI"}}, FOR_HOROVOD),
    "fusion for a TPU": ({"workers": CHIPS, "strategy": {"fusionThreshold": "1Mi"}}, FOR_HOROVOD),
    "a cycle for a TPU": ({"workers": CHIPS, "strategy": {"cycleTimeMilliseconds": 1}}, FOR_HOROVOD),
    "too large messages": (
        {"workers": TWO, "strategy": {"fusionThreshold": "1025Mi"}},
        "strategy.fusionThreshold 1025Mi is more than 1Gi, and every rank keeps a buffer of this size: lower it, or remove it",
    ),
    "too short a cycle": (
        {"workers": TWO, "strategy": {"cycleTimeMilliseconds": 0}},
        "strategy.cycleTimeMilliseconds must be from 0.01 to 1000: correct it, or remove it for 1",
    ),
    "too long a cycle": (
        {"workers": TWO, "strategy": {"cycleTimeMilliseconds": 1000.5}},
        "spec.strategy.cycleTimeMilliseconds in body should be less than or equal to 1000",
    ),
}


def manifest_of(blocks: dict[str, Any]) -> dict[str, Any]:
    return a_manifest(**{f"spec__{name}": block for name, block in blocks.items()})


@pytest.mark.parametrize("blocks", ACCEPTED.values(), ids=ACCEPTED)
def test_it_accepts(kubectl: Kubectl, blocks: dict[str, Any]) -> None:
    dry_run(kubectl, manifest_of(blocks))


@pytest.mark.parametrize(("blocks", "words"), REFUSED.values(), ids=REFUSED)
def test_it_refuses_and_says_why(kubectl: Kubectl, blocks: dict[str, Any], words: str) -> None:
    assert words in refusal(kubectl, manifest_of(blocks))
