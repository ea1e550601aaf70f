"""Many ranks with Horovod, which this module alone imports.

Only `horovod.tensorflow` is used: `horovod.tensorflow.keras` imports Keras 3 beside tf_keras.
"""

from collections.abc import Sequence

import horovod.tensorflow as hvd
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainingrun.api import GradientCompression
from trainingrun_trainer.parallel.gang import Tensor, Variable
from trainingrun_trainer.parallel.one_device import OneDevice


class HorovodGang(OneDevice):
    """All ranks of the attempt: see `Gang`. Making one waits until all have come."""

    def __init__(self, compression: GradientCompression = GradientCompression.NONE) -> None:
        hvd.init()
        self._is_half = compression is GradientCompression.FP16
        self._compressor = hvd.Compression.fp16 if self._is_half else hvd.Compression.none
        self.rank: int = hvd.rank()
        self.size: int = hvd.size()

    def sum_gradients(self, gradients: Sequence[Tensor]) -> list[Tensor]:
        """One fused all-reduce of all gradients.

        A rank's part of a mean over all samples is the smaller the more ranks there are, and below 3e-8 it is 0 in 16 bits. So
        what is exchanged in 16 bits is as large as if this rank were alone. The sum ends at 65504: on 32 ranks a mean of 2000.
        """
        exchanged = [gradient * self.size for gradient in gradients] if self._is_half else list(gradients)
        summed = hvd.grouped_allreduce(exchanged, op=hvd.Sum, name="gradients", compression=self._compressor)
        return [each / self.size for each in summed] if self._is_half else list(summed)

    def sum(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """All-reduce in double precision."""
        summed: NDArray[np.float64] = hvd.allreduce(tf.constant(values), op=hvd.Sum, name="sum").numpy()
        return summed

    def gather(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """All-gather along a new first axis."""
        gathered: NDArray[np.float64] = hvd.allgather(tf.constant(values[np.newaxis]), name="gather").numpy()
        return gathered

    def broadcast(self, variables: Sequence[Variable]) -> None:
        """From rank 0, one after the other: Horovod's `broadcast_variables` would load AutoGraph, half of the time it takes."""
        for index, variable in enumerate(variables):
            variable.assign(hvd.broadcast(variable.value(), root_rank=0, name=f"variable.{index}"))

    def broadcast_bytes(self, data: bytes) -> bytes:
        """From rank 0: first the length, then the bytes."""
        length = int(hvd.broadcast(tf.constant(len(data), tf.int64), root_rank=0, name="length"))
        own = np.frombuffer(data, dtype=np.uint8) if self.rank == 0 else np.zeros(length, dtype=np.uint8)
        received: NDArray[np.uint8] = hvd.broadcast(tf.constant(own), root_rank=0, name="bytes").numpy()
        return received.tobytes()
