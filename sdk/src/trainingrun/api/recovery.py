"""`spec.recovery`: what may go wrong before a run fails."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from trainingrun.api.base import Frozen


class LostNode(StrEnum):
    """What happens to a run when the node of one of its workers stops answering."""

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
        Field(
            ge=10,
            le=86400,
            description="How long an attempt may wait for nodes, and once it has them until all its ranks are ready to train.",
        ),
    ] = 600
    hang_timeout_seconds: Annotated[
        int,
        Field(
            ge=10,
            le=86400,
            description="How long a stage may go without any progress until the attempt is stopped as hung, and started again "
            "from its checkpoint. Longer than the longest step, evaluation or write of a checkpoint.",
        ),
    ] = 600
    lost_node: Annotated[
        LostNode,
        Field(
            description="When a worker's node stops answering: Wait until it is back or is removed from the cluster, so that "
            "two attempts never run at once; or Replace the attempt at once, although pods on the lost node may still run: "
            "only the newest attempt can then publish to the output."
        ),
    ] = LostNode.WAIT
