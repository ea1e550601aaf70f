"""`spec.strategy`: how the ranks train together."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from trainingrun.api.base import Frozen


class StrategyType(StrEnum):
    """Horovod averages gradients over all ranks; Single trains in one process."""

    HOROVOD = "Horovod"
    SINGLE = "Single"


class Transport(StrEnum):
    """What carries Horovod's messages."""

    GLOO = "Gloo"


class Strategy(Frozen):
    """The distribution strategy."""

    type: Annotated[
        StrategyType | None,
        Field(
            description="Horovod (many ranks, averaged gradients) or Single. Default: Horovod when there is more than "
            "one rank, else Single."
        ),
    ] = None
    transport: Annotated[Transport, Field(description="Transport of Horovod: Gloo needs neither ssh nor a launcher.")] = (
        Transport.GLOO
    )
