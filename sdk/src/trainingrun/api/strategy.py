"""`spec.strategy`: how the ranks train together."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from trainingrun.api.base import Frozen


class StrategyType(StrEnum):
    """How the gradients of several batches become one step."""

    HOROVOD = "Horovod"
    """Averages gradients over all ranks."""
    TPU = "TPU"
    """TensorFlow's TPUStrategy: one process for each worker, which drives all of the worker's chips and sums gradients over
    the chips of the whole slice. Each chip takes `training.batchSize` samples in a step, as each rank does elsewhere, so the
    global batch size is that times the chips. Horovod has no part in it."""
    SINGLE = "Single"
    """Trains in one process."""


class Transport(StrEnum):
    """What carries Horovod's messages."""

    GLOO = "Gloo"


class GradientCompression(StrEnum):
    """How gradients travel between the ranks."""

    NONE = "None"
    FP16 = "FP16"


class Strategy(Frozen):
    """The distribution strategy."""

    type: Annotated[
        StrategyType | None,
        Field(
            description="Horovod (many ranks, averaged gradients), TPU (TensorFlow's TPUStrategy) or Single. Default: TPU with "
            "workers.accelerator.tpu, else Horovod when there is more than one rank, else Single."
        ),
    ] = None
    transport: Annotated[Transport, Field(description="Transport of Horovod: Gloo needs neither ssh nor a launcher.")] = (
        Transport.GLOO
    )
    gradient_compression: Annotated[
        GradientCompression,
        Field(description="None, or FP16: gradients travel as 16-bit floats, half of the bytes, slightly less exact."),
    ] = GradientCompression.NONE
    backward_passes_per_step: Annotated[
        int,
        Field(
            ge=1,
            le=64,
            description="Batches whose gradients a rank adds up before the ranks exchange them: fewer exchanges, and a larger "
            "global batch without more memory.",
        ),
    ] = 1
