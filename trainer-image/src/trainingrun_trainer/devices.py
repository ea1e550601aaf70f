"""The GPU of a rank: the one with the number of its local rank, taken before TensorFlow touches any. All that is about GPUs."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from trainingrun.api import AcceleratorKind
from trainingrun.contract import AttemptConfig, Cause
from trainingrun_trainer.errors import bad_config, failed

Device = Any

LOCAL_RANK_VARIABLE = "TRAININGRUN_LOCAL_RANK"
"""Tells a rank its number within the worker, before it meets the others: only some transports say so at that time."""


class Gpus(Protocol):
    """What TensorFlow has to say about GPUs; nothing of it may have used one yet."""

    @property
    def is_supported(self) -> bool:
        """Whether TensorFlow has been built for GPUs."""

    def found(self) -> Sequence[Device]:
        """The GPUs of this container, in the order of the driver."""

    def details(self, gpu: Device) -> Mapping[str, Any]:
        """`device_name` and `compute_capability`, as far as the driver tells."""

    def use(self, gpus: Sequence[Device]) -> None:
        """Let TensorFlow see these GPUs only, and take their memory as it needs it."""


def take_gpu(config: AttemptConfig, *, gpus: Gpus, local_rank: int) -> str:
    """Take the GPU of this local rank, or none where the run has not asked for any; returns what it is, for the log.

    Raises TrainerError: BadConfig when the image cannot use GPUs, and RankFailed, which another attempt on another node may
    survive, when there is none for this rank.
    """
    if config.accelerator is not AcceleratorKind.GPU:
        if gpus.is_supported:
            gpus.use(())  # those that a container runtime hands out unasked belong to others
        return "no GPU"
    if not gpus.is_supported:
        raise bad_config(
            f"workers.accelerator.gpu asks for GPUs, but the TensorFlow of the image {config.image} is built for CPUs only.",
            hint="Leave spec.image out if the operator knows an image for GPUs, or name one built from the target trainer-gpu.",
        )
    found = gpus.found()
    if local_rank >= len(found):
        raise _missing(config, seen=len(found), local_rank=local_rank)
    gpus.use(found[local_rank : local_rank + 1])
    return f"GPU {local_rank} of {len(found)}{_named(gpus.details(found[local_rank]))}"


def _missing(config: AttemptConfig, *, seen: int, local_rank: int) -> Exception:
    text = f"workers.accelerator.gpu asks for {config.accelerators_per_worker} GPUs, but TensorFlow sees {seen or 'none'}"
    if seen == 0:
        return failed(
            f"{text}: the driver of the node does not answer in the container, or is too old for the CUDA of the image.",
            cause=Cause.RANK_FAILED,
            hint="See that `nvidia-smi` works in a pod with a GPU on that node: the driver, the container toolkit and the "
            "device plugin must be there.",
        )
    return failed(
        f"{text}: there is none for local rank {local_rank}.",
        cause=Cause.RANK_FAILED,
        hint="A GPU of the node may be broken (`nvidia-smi` says so), or the image hides some with CUDA_VISIBLE_DEVICES.",
    )


def _named(details: Mapping[str, Any]) -> str:
    name, capability = details.get("device_name"), details.get("compute_capability")
    known = [str(name)] if name else []
    if capability:
        known.append(f"compute capability {'.'.join(map(str, capability))}")
    return "".join(f", {part}" for part in known)


class TensorFlowGpus:
    """The GPUs as TensorFlow sees them: see `Gpus`."""

    def __init__(self, tensorflow: Any) -> None:
        self._tensorflow = tensorflow
        self.is_supported: bool = tensorflow.test.is_built_with_gpu_support()

    def found(self) -> Sequence[Device]:
        """Asks the driver, without using a GPU."""
        devices: Sequence[Device] = self._tensorflow.config.list_physical_devices("GPU")
        return devices

    def details(self, gpu: Device) -> Mapping[str, Any]:
        """What the driver says."""
        details: Mapping[str, Any] = self._tensorflow.config.experimental.get_device_details(gpu)
        return details

    def use(self, gpus: Sequence[Device]) -> None:
        """Memory grows: another process, such as a monitor, may need some, and what a run needs then shows."""
        self._tensorflow.config.set_visible_devices(list(gpus), "GPU")
        for gpu in gpus:
            self._tensorflow.config.experimental.set_memory_growth(gpu, enable=True)
