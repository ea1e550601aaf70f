"""Which GPU a rank takes, on GPUs that are not there."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.unit.trainer.starting import Start, a_config
from trainingrun.api import AcceleratorKind
from trainingrun.contract import AttemptConfig, Cause
from trainingrun_trainer.devices import take_gpu
from trainingrun_trainer.errors import TrainerError

L4 = {"device_name": "NVIDIA L4", "compute_capability": (8, 9)}


class FakeGpus:
    """GPUs 0, 1, ... of a container."""

    def __init__(self, count: int, *, supported: bool = True, details: Mapping[str, Any] = L4) -> None:
        self.is_supported = supported
        self.used: list[int] | None = None
        self._count = count
        self._details = details

    def found(self) -> Sequence[int]:
        return range(self._count)

    def details(self, gpu: int) -> Mapping[str, Any]:
        return self._details

    def use(self, gpus: Sequence[int]) -> None:
        self.used = list(gpus)


def on_gpus(count: int) -> AttemptConfig:
    config = a_config(attempt=1, replicas=2, processes=count)
    return config.model_copy(
        update={"accelerator": AcceleratorKind.GPU, "accelerators_per_worker": count, "image": "registry.example/mine:1"}
    )


def test_each_local_rank_takes_a_gpu_of_its_own_and_says_which() -> None:
    gpus = [FakeGpus(4) for _ in range(4)]
    said = [take_gpu(on_gpus(4), gpus=each, local_rank=rank) for rank, each in enumerate(gpus)]
    assert [each.used for each in gpus] == [[0], [1], [2], [3]]
    assert said[1] == "GPU 1 of 4, NVIDIA L4, compute capability 8.9"


def test_a_driver_that_does_not_name_its_gpus_is_no_obstacle() -> None:
    assert take_gpu(on_gpus(1), gpus=FakeGpus(1, details={}), local_rank=0) == "GPU 0 of 1"


def test_gpus_that_the_run_has_not_asked_for_are_left_alone() -> None:
    gpus = FakeGpus(8)
    assert take_gpu(a_config(attempt=1, replicas=1, processes=1), gpus=gpus, local_rank=0) == "no GPU"
    assert gpus.used == []


@pytest.mark.parametrize(
    ("gpus", "local_rank", "cause", "sentence"),
    [
        pytest.param(
            FakeGpus(0, supported=False),
            0,
            Cause.BAD_CONFIG,
            "the TensorFlow of the image registry.example/mine:1 is built for CPUs only",
            id="image without CUDA",
        ),
        pytest.param(
            FakeGpus(0), 0, Cause.RANK_FAILED, "asks for 4 GPUs, but TensorFlow sees none: the driver", id="no driver"
        ),
        pytest.param(FakeGpus(3), 3, Cause.RANK_FAILED, "sees 3: there is none for local rank 3", id="one GPU is lost"),
    ],
)
def test_a_rank_without_a_gpu_says_why(gpus: FakeGpus, local_rank: int, cause: Cause, sentence: str) -> None:
    with pytest.raises(TrainerError, match=sentence) as problem:
        take_gpu(on_gpus(4), gpus=gpus, local_rank=local_rank)
    assert problem.value.cause is cause
    assert problem.value.hint
    assert gpus.used is None


@pytest.mark.parametrize(
    ("kind", "strategy", "cause", "sentence"),
    [
        pytest.param("GPU", "Single", Cause.BAD_CONFIG, "is built for CPUs only", id="GPU"),
        pytest.param("TPU", "TPU", Cause.RANK_FAILED, "There is no TPU in this pod.", id="TPU"),
    ],
)
def test_a_run_with_the_image_for_cpus_ends_with_the_reason(
    start: Start, kind: str, strategy: str, cause: Cause, sentence: str
) -> None:
    [record] = start(replicas=1, accelerator=kind, acceleratorsPerWorker=1, strategy=strategy).wait()
    assert record.cause == cause
    assert sentence in record.message


def test_the_agent_tells_each_rank_its_number_within_the_worker(start: Start) -> None:
    gang = start(replicas=2, processes=2, rank="tests.unit.trainer.numbered_rank")
    gang.wait()
    assert "[rank 2] local rank 0" in gang.log(1)
    assert "[rank 3] local rank 1" in gang.log(1)
