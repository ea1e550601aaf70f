"""`spec.recovery`: what may go wrong before a run fails."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from trainingrun.api.base import Frozen


class LostNode(StrEnum):
    """What happens when the node of a worker does not answer."""

    WAIT = "Wait"
    REPLACE = "Replace"


class Recovery(Frozen):
    """Bounds on restarts and on waiting."""

    maximum_restarts: Annotated[
        int,
        Field(
            ge=0,
            le=100,
            description="Restarts without progress before the run fails. Preemption, eviction and lost nodes do not "
            "count, and a restart whose attempt wrote a newer checkpoint starts the count anew.",
        ),
    ] = 3
    start_timeout_seconds: Annotated[
        int,
        Field(ge=10, le=86400, description="How long an attempt may take until all its ranks are ready to train."),
    ] = 600
    hang_timeout_seconds: Annotated[
        int, Field(ge=10, le=86400, description="How long an attempt may make no progress before it is stopped as hanging.")
    ] = 600
    lost_node: Annotated[LostNode, Field(description="Wait for a node that does not answer, or Replace its worker.")] = (
        LostNode.WAIT
    )
