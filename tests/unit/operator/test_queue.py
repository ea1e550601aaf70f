"""The work queue's guarantees, under virtual time."""

import asyncio

import looptime
import pytest

from trainingrun_operator.cluster.port import BusyError
from trainingrun_operator.control.controller import Controller
from trainingrun_operator.control.queue import WorkQueue
from trainingrun_operator.metrics import Metrics
from trainingrun_operator.pace import Timing

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]
assert looptime

Key = tuple[str, str]


async def test_a_key_is_queued_once_however_often_it_is_added() -> None:
    queue: WorkQueue[str] = WorkQueue(timing=Timing())
    for _ in range(3):
        queue.add("a")
    assert len(queue) == 1


async def test_a_key_that_is_added_while_it_is_worked_on_is_worked_on_again_afterwards() -> None:
    queue: WorkQueue[str] = WorkQueue(timing=Timing())
    queue.add("a")
    assert await queue.take() == "a"
    queue.add("a")
    assert len(queue) == 0
    queue.done("a")
    assert await queue.take() == "a"


async def test_of_several_wishes_the_earliest_counts() -> None:
    queue: WorkQueue[str] = WorkQueue(timing=Timing())
    loop = asyncio.get_running_loop()
    queue.add_after("a", 30)
    queue.add_after("a", 10)
    queue.add_after("a", 60)
    assert await queue.take() == "a"
    assert loop.time() == 10


async def test_failures_are_retried_after_times_that_double_until_one_succeeds() -> None:
    queue: WorkQueue[str] = WorkQueue(timing=Timing())
    waits = [queue.retry("a") for _ in range(4)]
    assert waits == [0.05, 0.1, 0.2, 0.4]
    queue.forget("a")
    assert queue.retry("a") == 0.05
    assert queue.retry("a", at_least=7) == 7


async def test_one_run_that_fails_does_not_stop_another() -> None:
    queue: WorkQueue[Key] = WorkQueue(timing=Timing())
    seen: list[str] = []

    async def reconcile(key: Key) -> float | None:
        seen.append(key[1])
        if key[1] == "busy":
            raise BusyError("429", retry_after=5)
        if key[1] == "broken":
            raise ValueError("a defect")
        return None

    controller = Controller(reconcile, queue=queue, metrics=Metrics())
    working = asyncio.create_task(controller.run(workers=2))
    for name in ("busy", "broken", "good"):
        queue.add(("team", name))
    await asyncio.sleep(4)
    assert seen.count("busy") == 1
    assert seen.count("broken") > 3
    assert "good" in seen
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
