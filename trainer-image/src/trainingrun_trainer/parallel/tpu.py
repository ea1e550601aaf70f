"""The chips of a TPU with TensorFlow's TPUStrategy: one process drives all chips of its host. Only this module knows of it."""

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import tensorflow as tf

from trainingrun.contract import AttemptConfig, Cause
from trainingrun_trainer.errors import bad_config, failed
from trainingrun_trainer.parallel.gang import Step, Tensor
from trainingrun_trainer.parallel.single import OneRank, SingleProcess

Strategy = Any


_HINT = (
    "The image must be one for TPUs (target trainer-tpu), and the node must offer google.com/tpu. TensorFlow does not know "
    "every generation: see docs/explanation/accelerators.md."
)


class TpuGang(OneRank):
    """One rank with many devices: see `Gang`. Any strategy will do that keeps a copy of each variable on every device."""

    def __init__(self, strategy: Strategy) -> None:
        self._strategy = strategy
        self.devices = strategy.num_replicas_in_sync

    @property
    def host(self) -> SingleProcess:
        """The processors of the host, which evaluate, compress and export."""
        return SingleProcess()

    def scope(self) -> AbstractContextManager[object]:
        """Variables with a copy on each chip."""
        scope: AbstractContextManager[object] = self._strategy.scope()
        return scope

    def on_devices(self, step: Step) -> Step:
        """Each chip takes an equal part of the samples."""

        def on_all(rows: tuple[Tensor, ...], others: tuple[Tensor, ...]) -> Tensor:
            parts = [tf.split(each, self.devices) for each in rows]
            own = self._strategy.experimental_distribute_values_from_function(
                lambda device: tuple(part[device.replica_id_in_sync_group] for part in parts)
            )
            sums = self._strategy.run(step, args=(own, others))
            return self._strategy.reduce(tf.distribute.ReduceOp.SUM, sums, axis=None)

        return on_all

    def sum_gradients(self, gradients: Sequence[Tensor]) -> list[Tensor]:
        """Over the interconnect of the chips."""
        return list(tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, list(gradients)))


def has_chips(devices: Path = Path("/dev")) -> bool:
    """Whether the device plugin has given any: without them TensorFlow's TPU runtime ends the process by SIGSEGV."""
    return "TPU_ACCELERATOR_TYPE" in os.environ or (devices / "vfio").exists() or any(devices.glob("accel*"))


def connect(config: AttemptConfig) -> Strategy:
    """Start the TPU of this host.

    Raises TrainerError: BadConfig for a slice of several hosts, and RankFailed when there is no TPU or it does not start.
    """
    if config.replicas > 1:
        raise bad_config(
            f"workers.accelerator.tpu has a slice over {config.replicas} hosts (workers.replicas), but this trainer drives the "
            "chips of one: TensorFlow has one process for a whole slice, and no server for its other hosts.",
            hint="Take a topology that fits one host, such as 2x4 with 8 chips and one worker.",
        )
    if not has_chips():
        raise failed("There is no TPU in this pod.", cause=Cause.RANK_FAILED, hint=_HINT)
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(tpu="local")
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
        strategy = tf.distribute.TPUStrategy(resolver)
    except Exception as problem:
        raise failed(
            f"The TPU does not start: {type(problem).__name__}: {str(problem).partition(chr(10))[0]}",
            cause=Cause.RANK_FAILED,
            hint=_HINT,
        ) from problem
    print(f"TPU: {strategy.num_replicas_in_sync} chips of {config.accelerators_per_worker}")
    return strategy
