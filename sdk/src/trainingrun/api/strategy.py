"""`spec.strategy`: how the ranks train together."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from trainingrun.api.base import AS_NUMBER, Frozen, Quantity, rule, rules
from trainingrun.api.quantities import at_most


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
    MPI = "MPI"


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
    transport: Annotated[
        Transport,
        Field(
            description="What carries Horovod's messages: Gloo, which needs neither ssh nor mpirun, or MPI, which is Open MPI "
            "over TCP. Both train alike."
        ),
    ] = Transport.GLOO
    fusion_threshold: Annotated[
        Quantity | None,
        Field(
            description="Most bytes of gradients that Horovod puts into one message, for example 64Mi; 0 sends each tensor "
            "alone. At most 1Gi. Default: Horovod's own, 128Mi."
        ),
    ] = None
    cycle_time_milliseconds: Annotated[
        Annotated[float, Field(ge=0.01, le=1000), AS_NUMBER] | None,
        Field(
            description="How long Horovod collects gradients before it exchanges them, for example 2.5. Longer makes larger "
            "and fewer messages. Default: Horovod's 1."
        ),
    ] = None
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

    model_config = rules(
        rule(
            at_most("fusionThreshold", "1Gi"),
            "'strategy.fusionThreshold ' + string(self.fusionThreshold) + ' is more than 1Gi, and every rank keeps a buffer of "
            "this size: lower it, or remove it for 128Mi.'",
            field_path=".fusionThreshold",
            computed=True,
        ),
        # The API server compares whole numbers with the whole part of a bound: it takes 0 for one that is at least 0.01.
        rule(
            "!has(self.cycleTimeMilliseconds) || self.cycleTimeMilliseconds >= 0.01",
            "strategy.cycleTimeMilliseconds must be from 0.01 to 1000: correct it, or remove it for 1.",
            field_path=".cycleTimeMilliseconds",
        ),
    )
