"""Many ranks with Horovod, which this module alone imports.

Only `horovod.tensorflow` is used: `horovod.tensorflow.keras` imports Keras 3 beside tf_keras.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import horovod.tensorflow as hvd
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainingrun.api import GradientCompression
from trainingrun_trainer.parallel.gang import Tensor, Variable
from trainingrun_trainer.parallel.one_device import OneDevice

MOST_BYTES = 1 << 30
"""Of one message. MPI counts with 31 bits, and a checkpoint with Adam's moments and the best weights may be longer."""


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
        """All-gather along a new first axis, in parts: what all ranks have together is one message."""
        columns = max(1, MOST_BYTES // (values.itemsize * self.size))
        gathered = [
            hvd.allgather(tf.constant(values[np.newaxis, part]), name="gather") for part in _parts(len(values), columns)
        ]
        return np.concatenate(gathered, axis=1)

    def broadcast(self, variables: Sequence[Variable]) -> None:
        """From rank 0, one after the other: Horovod's `broadcast_variables` would load AutoGraph, half of the time it takes."""
        for index, variable in enumerate(variables):
            value = variable.value()
            if value.shape.num_elements() * value.dtype.size <= MOST_BYTES:
                variable.assign(hvd.broadcast(value, root_rank=0, name=f"variable.{index}"))
            else:
                variable.assign(self._in_parts(value.numpy().ravel(), name=f"variable.{index}").reshape(value.shape))

    def broadcast_bytes(self, data: bytes) -> bytes:
        """From rank 0: first the length, then the bytes, in parts."""
        length = int(hvd.broadcast(tf.constant(len(data), tf.int64), root_rank=0, name="length"))
        if self.rank == 0:
            self._in_parts(np.frombuffer(data, dtype=np.uint8), name="bytes")
            return data
        return self._in_parts(np.zeros(length, dtype=np.uint8), name="bytes").tobytes()

    def _in_parts(self, values: NDArray[Any], *, name: str) -> NDArray[Any]:
        """What rank 0 has of a vector that is equally long on all ranks."""
        received = values if self.rank == 0 else values.copy()
        for part in _parts(len(values), max(1, MOST_BYTES // values.itemsize)):
            sent = hvd.broadcast(tf.constant(values[part]), root_rank=0, name=name)
            if self.rank != 0:
                received[part] = sent.numpy()
        return received


def _parts(length: int, most: int) -> Iterator[slice]:
    """All of a vector in slices of at most this many; one slice of a vector that is empty."""
    return (slice(start, start + most) for start in range(0, max(1, length), most))
