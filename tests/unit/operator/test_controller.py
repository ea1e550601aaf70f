"""What the controller makes of a look that went well, under virtual time."""

import looptime
import pytest

from trainingrun_operator.cluster.port import ClusterError
from trainingrun_operator.control.controller import Controller
from trainingrun_operator.control.queue import WorkQueue
from trainingrun_operator.metrics import Metrics
from trainingrun_operator.pace import Timing

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]
assert looptime

Key = tuple[str, str]
KEY = ("team", "mnist")


async def test_failures_before_a_look_that_went_well_are_forgotten() -> None:
    queue: WorkQueue[Key] = WorkQueue(timing=Timing())
    answers: list[Exception | None] = [ClusterError("503"), ClusterError("503"), None]

    async def reconcile(key: Key) -> float | None:
        answer = answers.pop(0)
        if answer is not None:
            raise answer
        return None

    controller = Controller(reconcile, queue=queue, metrics=Metrics())
    first = queue.retry(KEY)
    for _ in range(3):
        await controller.handle(KEY)
    assert queue.retry(KEY) == first
