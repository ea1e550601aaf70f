"""Gradients that are exchanged in 16 bits, on one rank with an exchange that adds up as many ranks as there are to be."""

from collections.abc import Sequence
from typing import Any

import horovod.tensorflow as hvd
import numpy as np
import pytest
import tensorflow as tf

from trainingrun.api import GradientCompression
from trainingrun_trainer.parallel.horovod import HorovodGang


def gang_of(size: int, compression: GradientCompression, patch: pytest.MonkeyPatch) -> HorovodGang:
    """A gang whose ranks all have the same gradients."""

    def exchange(gradients: Sequence[Any], *, op: Any, name: str, compression: Any) -> list[Any]:
        assert op == hvd.Sum
        packed = [compression.compress(gradient) for gradient in gradients]
        return [compression.decompress(tf.add_n([each] * size), context) for each, context in packed]

    patch.setattr(hvd, "init", lambda: None)
    patch.setattr(hvd, "rank", lambda: 0)
    patch.setattr(hvd, "size", lambda: size)
    patch.setattr(hvd, "grouped_allreduce", exchange)
    return HorovodGang(compression)


@pytest.mark.parametrize("compression", list(GradientCompression))
@pytest.mark.parametrize("size", [1, 2, 8, 32, 100])
@pytest.mark.parametrize("mean", [6e-8, 1e-6, 0.25, 100.0])
def test_a_mean_that_16_bits_can_hold_arrives_on_any_number_of_ranks(
    size: int, mean: float, compression: GradientCompression, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tf.fill([3], np.float32(mean / size))
    (summed,) = gang_of(size, compression, monkeypatch).sum_gradients([own])
    assert summed.dtype == tf.float32
    np.testing.assert_allclose(summed, mean, rtol=0.01 if mean > 1e-6 else 0.05)
