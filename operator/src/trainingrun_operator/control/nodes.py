"""The nodes of the cluster: asked for when a pod fits on none of them, only now and then and for all runs together."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from trainingrun_operator.cluster.port import Cluster, ForbiddenError, Raw
from trainingrun_operator.node import Node
from trainingrun_operator.observe import observe_nodes
from trainingrun_operator.pace import Timing

log = logging.getLogger(__name__)


class NodeBook:
    """What the nodes offer, as it was not long ago."""

    def __init__(self, cluster: Cluster, *, timing: Timing, now: Callable[[], datetime]) -> None:
        self._cluster = cluster
        self._timing = timing
        self._now = now
        self._nodes: tuple[Node, ...] | None = None
        self._asked: datetime | None = None

    async def nodes(self) -> tuple[Node, ...] | None:
        """All nodes, or None when the operator is not allowed to look: its permissions may end at its namespace."""
        if self._asked is None or (self._now() - self._asked).total_seconds() >= self._timing.node_cache_seconds:
            self._nodes = await self._ask()
            self._asked = self._now()
        return self._nodes

    async def _ask(self) -> tuple[Node, ...] | None:
        try:
            listed: Sequence[Raw] = await self._cluster.list_nodes()
        except ForbiddenError as refused:
            log.info("what the nodes offer stays unknown: %s", refused)
            return None
        return observe_nodes(listed)
