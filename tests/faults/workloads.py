"""The lives that are led again and again while things go wrong: what the user and the workers do, and nothing about how."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.faults.stage import Stage

Workload = Callable[[Stage], Awaitable[None]]


async def running(stage: Stage, **changes: Any) -> None:
    """The beginning of all others."""
    await stage.create(**changes)
    await stage.until("Running")


async def happy(stage: Stage) -> None:
    await running(stage)
    await stage.succeed()
    await stage.until("Succeeded")


async def suspend_and_resume(stage: Stage) -> None:
    await running(stage)
    await stage.change(suspend=True)
    await stage.until("Suspended")
    await stage.change(suspend=False)
    await stage.until("Running", attempt=2)
    await stage.succeed()
    await stage.until("Succeeded")


async def fail_and_recover(stage: Stage) -> None:
    await running(stage)
    await stage.fail()
    await stage.until("Running", attempt=2)
    await stage.succeed()
    await stage.until("Succeeded")


async def fail_for_good(stage: Stage) -> None:
    await running(stage, spec__recovery={"maximumRestarts": 1})
    await stage.fail()
    await stage.until("Running", attempt=2)
    await stage.fail()
    await stage.until("Failed")


async def exceed_the_deadline(stage: Stage) -> None:
    await running(stage)
    await stage.change(activeDeadlineSeconds=1)
    await stage.until("Failed")


async def delete_in_mid_run(stage: Stage) -> None:
    await running(stage)
    await stage.delete()
    await stage.until_nothing_is_left()


async def rerun_when_finished(stage: Stage) -> None:
    await happy(stage)
    await stage.change(rerun="again")
    await stage.until("Running", attempt=2)
    await stage.succeed()
    await stage.until("Succeeded", attempt=2)


async def rerun_when_failed(stage: Stage) -> None:
    await running(stage, spec__recovery={"maximumRestarts": 0})
    await stage.fail()
    await stage.until("Failed")
    await stage.change(rerun="again")
    await stage.until("Running", attempt=2)
    await stage.succeed()
    await stage.until("Succeeded", attempt=2)


async def rerun_in_mid_run(stage: Stage) -> None:
    await running(stage)
    await stage.change(rerun="again")
    await stage.until("Running", attempt=2)
    await stage.succeed()
    await stage.until("Succeeded", attempt=2)


async def outlive_the_children(stage: Stage) -> None:
    await running(stage, spec__childrenTTLSecondsAfterFinished=1)
    await stage.succeed()
    await stage.until("Succeeded")
    await stage.until_children(0)


async def restart_with_another_preset(stage: Stage) -> None:
    path = await stage.give_preset(defaults={"workers": {"scratch": "1Gi"}}, limits={"longestDeadlineSeconds": 9000})
    try:
        await running(stage, spec__preset=stage.name)
        await stage.api.merge(path, {"spec": {"defaults": {"workers": {"scratch": "2Gi"}}}})
        await stage.fail()
        await stage.until("Running", attempt=2)
        await stage.api.delete(path)
        await stage.succeed()
        await stage.until("Succeeded")
    finally:
        await stage.api.delete(path)


WORKLOADS: dict[str, Workload] = {
    work.__name__: work
    for work in (
        happy,
        suspend_and_resume,
        fail_and_recover,
        fail_for_good,
        exceed_the_deadline,
        delete_in_mid_run,
        rerun_when_finished,
        rerun_when_failed,
        rerun_in_mid_run,
        outlive_the_children,
        restart_with_another_preset,
    )
}

_ALWAYS = (happy, suspend_and_resume, fail_and_recover, rerun_when_failed, restart_with_another_preset)


def tried(*, without: Workload | None = None) -> list[Any]:
    """All workloads as parameters of a test of faults; those that begin like others are for `make test-long`."""
    return [
        pytest.param(work, id=name, marks=() if work in _ALWAYS else pytest.mark.long)
        for name, work in WORKLOADS.items()
        if work is not without
    ]
