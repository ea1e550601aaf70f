"""What the operator answers at /metrics after lives of all kinds, over HTTP, and as series of Prometheus."""

import asyncio
import dataclasses
import socket
from collections.abc import Awaitable
from types import SimpleNamespace
from typing import Any

import aiohttp
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from tests.builders import NOON
from tests.simulation.test_accelerators import GPUS
from tests.simulation.test_lives import failed, happy, not_accepted, start
from tests.simulation.world import NAMESPACE, World
from trainingrun_operator.cluster.kube import KubeCluster
from trainingrun_operator.control.controller import Controller
from trainingrun_operator.control.queue import WorkQueue
from trainingrun_operator.control.survey import Hearing
from trainingrun_operator.metrics import Metrics
from trainingrun_operator.pace import Timing
from trainingrun_operator.serving import LAG_INTERVAL, serve

Key = tuple[str, str]


def waits(world: World) -> None:
    """A run whose claim is missing, and then comes."""
    claim = world.claims.pop("models")
    world.apply()
    world.settle()
    world.wait(60)
    world.claims["models"] = claim
    start(world)


def trains_on_gpus(world: World) -> None:
    world.apply(spec__workers=GPUS, spec__image="trainer:gpu")
    world.settle()
    world.wait(30)
    world.kubelet()
    world.settle()
    world.report(epoch=1)
    report = world.book.latest((NAMESPACE, "mnist"))
    assert report is not None
    moments = report.moments.model_copy(update={"first_step": world.now})
    world.book.note((NAMESPACE, "mnist"), report.model_copy(update={"moments": moments}))
    world.settle()
    world.wait(60)


def a_gpu_run_that_ends(world: World) -> None:
    trains_on_gpus(world)
    world.succeed()
    world.settle()


def restarted_late(world: World) -> None:
    start(world)
    world.wait(100)
    world.end_pod(1, code=70, cause="RankKilled", rank=1, signal=9)
    world.end_pod(0, code=69, cause="PeerLost")
    world.settle()
    world.finish_deletions()
    world.wait(600)
    world.settle()


LIVES = (happy, failed, not_accepted, restarted_late, waits, trains_on_gpus, a_gpu_run_that_ends)


async def exposition() -> tuple[str, str]:
    """The text before anything has happened, and after all of it."""
    metrics = Metrics()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with serve(port=port, metrics=metrics, obstacle=lambda: None), aiohttp.ClientSession() as session:
        await _lead(metrics)
        worlds = await asyncio.to_thread(_live, metrics)
        metrics.survey({("team", str(number)): world.run().status for number, world in enumerate(worlds)})
        await asyncio.sleep(LAG_INTERVAL + 0.2)
        async with session.get(f"http://127.0.0.1:{port}/metrics") as answer:
            after = await answer.text()
    return _text_of_a_new_process(), after


def series(before: str, after: str, *, minutes: int) -> dict[str, str]:
    """Every series in the notation of promtool: counters grow evenly, gauges are as they are at the end."""
    known = dict(_samples(before))
    made = {}
    for name, (value, grows) in _samples(after):
        first = known.get(name, (0.0, grows))[0]
        made[name] = f"{first}+{(value - first) / minutes}x{minutes}" if grows else f"{value}x{minutes}"
    return made


def names(text: str) -> set[str]:
    """Names of all series."""
    return {name.partition("{")[0] for name, _ in _samples(text)}


def _samples(text: str) -> list[tuple[str, tuple[float, bool]]]:
    found = []
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f'{label}="{value}"' for label, value in sample.labels.items())
            found.append((f"{sample.name}{{{labels}}}", (sample.value, family.type != "gauge")))
    return found


def _text_of_a_new_process() -> str:
    return generate_latest(Metrics().registry).decode()


def _live(metrics: Metrics) -> list[World]:
    worlds = []
    for life in LIVES:
        world = World()
        world.reconciler = dataclasses.replace(world.reconciler, metrics=metrics)
        life(world)
        worlds.append(world)
    return worlds


async def _lead(metrics: Metrics) -> None:
    """The loops of a leader, each once."""
    metrics.is_leader.set(1)
    metrics.listed_at.set(NOON.timestamp())
    timing, hearing, key = Timing(), Hearing(metrics), ("team", "0")
    queue: WorkQueue[Key] = WorkQueue(timing=timing, on_taken=metrics.queue_wait.observe)
    cluster = KubeCluster(_an_api(), metrics=metrics, timing=timing)

    async def look(key: Key) -> None:
        await cluster.get_run(*key)

    controller = Controller(look, queue=queue, metrics=metrics)
    queue.add(key)
    await controller.handle(await queue.take())
    queue.done(key)
    hearing.run(key, version="1")
    hearing.child("pods")


def _an_api() -> Any:
    def answer(value: Any) -> Awaitable[Any]:
        future = asyncio.get_running_loop().create_future()
        future.set_result(value)
        return future

    response = SimpleNamespace(response=SimpleNamespace(status=200, headers={}, read=lambda: answer(b"{}")))
    return SimpleNamespace(call_api=lambda *_, **__: answer(response), param_serialize=lambda *_, **__: answer(()))
