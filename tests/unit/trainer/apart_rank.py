"""A rank 1 that takes part in averaging but does not apply the average, as with a framework that bypasses Horovod."""

import os
import sys
from collections.abc import Sequence
from typing import Any

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

from trainingrun_trainer import rank
from trainingrun_trainer.parallel.horovod import HorovodGang

averaged = HorovodGang.sum_gradients


def kept(gang: HorovodGang, gradients: Sequence[Any]) -> list[Any]:
    """The sums, except on rank 1, whose own gradients count for more than the others'.

    The sums must be used: TensorFlow prunes an all-reduce whose result nobody reads, and the other rank would wait for ever.
    """
    sums = averaged(gang, gradients)
    if gang.rank != 1:
        return sums
    return [0.5 * total + own for total, own in zip(sums, gradients, strict=True)]


HorovodGang.sum_gradients = kept  # type: ignore[assignment,method-assign]  # the defect that the test is about

if __name__ == "__main__":
    sys.exit(rank.main())
