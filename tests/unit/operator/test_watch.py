"""Which events the operator gets, and which run each of them is about."""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any

import kopf
import pytest

from trainingrun_operator.control.queue import WorkQueue
from trainingrun_operator.control.survey import Hearing
from trainingrun_operator.metrics import Metrics
from trainingrun_operator.pace import Timing
from trainingrun_operator.watch import registry, settings, watch

LABELS = {"trainingrun.dev/run": "mnist", "app.kubernetes.io/name": "trainingrun-trainer"}


def handlers(queue: WorkQueue[tuple[str, str]]) -> Mapping[str, Any]:
    """The handlers by the plural of what they watch; kopf has no public way to ask for them."""
    found: list[Any] = list(registry(queue, hearing=Hearing(Metrics()))._watching.get_all_handlers())
    return {handler.selector.any_name: handler for handler in found}


@pytest.mark.parametrize(
    ("plural", "name", "labels"),
    [("trainingruns", "mnist", {}), ("jobs", "mnist-1", LABELS), ("pods", "mnist-1-0", LABELS)],
)
async def test_an_event_is_about_the_run_whose_object_it_is(plural: str, name: str, labels: Mapping[str, str]) -> None:
    queue: WorkQueue[tuple[str, str]] = WorkQueue(timing=Timing())
    resource = kopf.Resource("group", "v1", plural)
    told = {"meta": {"resourceVersion": "7"}, "resource": resource}
    await handlers(queue)[plural].fn(namespace="team", name=name, labels=labels, **told)
    assert await queue.take() == ("team", "mnist")


def test_of_jobs_and_pods_only_those_of_runs_are_sent() -> None:
    watched = handlers(WorkQueue(timing=Timing()))
    assert watched.keys() == {"trainingruns", "jobs", "pods"}
    asked: dict[Any, str] = dict(settings(Timing()).watching.label_selectors)
    assert {each.any_name: label for each, label in asked.items()} == {
        "jobs": "trainingrun.dev/run",
        "pods": "trainingrun.dev/run",
    }
    assert all(watched[kind].labels == {"trainingrun.dev/run": kopf.PRESENT} for kind in ("jobs", "pods"))


@pytest.mark.parametrize("namespaces", [None, ("team", "vision")])
async def test_it_is_watched_by_a_user_without_a_name(
    monkeypatch: pytest.MonkeyPatch, namespaces: tuple[str, ...] | None
) -> None:
    """As clusters choose users that no image knows: OpenShift does."""

    async def ended(tasks: Collection["asyncio.Task[Any]"], **_: Any) -> None:
        """What Kopf has started asks a cluster, which is not there."""
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def no_name() -> str:
        raise KeyError("getpwuid(): uid not found: 1000650000")

    monkeypatch.setattr("kopf._core.reactor.running.run_tasks", ended)
    monkeypatch.setattr("getpass.getuser", no_name)
    monkeypatch.delenv("POD_ID", raising=False)
    await watch(WorkQueue(timing=Timing()), namespaces=namespaces, timing=Timing(), hearing=Hearing(Metrics()))
