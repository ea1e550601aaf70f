"""One run on the stage: the test plays the user and the workers, KWOK the kubelet, and the operator is the real one."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.faults.api import PRESETS, RUNS, Api, Object
from tests.faults.kwok import CPU
from tests.manifests import a_manifest
from tests.patience import patience
from tests.presets import a_preset_manifest
from trainingrun.api.base import to_wire
from trainingrun.contract import Cause, ExitCode, FinalRecord
from trainingrun.contract_version import CONTRACT

SECONDS = 60.0
"""What the longest wait of a life takes on a quiet machine, and more."""
WORKERS = {"replicas": 2, "resources": {"requests": {"cpu": CPU}}}
CHILDREN = {
    "Service": "api/v1/namespaces/{}/services",
    "ConfigMap": "api/v1/namespaces/{}/configmaps",
    "NetworkPolicy": "apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
    "Job": "apis/batch/v1/namespaces/{}/jobs",
    "Pod": "api/v1/namespaces/{}/pods",
}


@dataclass(frozen=True)
class Stage:
    """What a workload does with its run and sees of it."""

    api: Api
    namespace: str
    name: str
    bell: asyncio.Event = field(default_factory=asyncio.Event)
    """Rings when a run of the namespace has changed."""

    @property
    def path(self) -> str:
        """Of the run."""
        return f"{RUNS.format(self.namespace)}/{self.name}"

    async def create(self, **changes: Any) -> None:
        """Apply a run of two workers that fits on the fake node only; `changes` as in `a_manifest`."""
        await self.api.create(RUNS.format(self.namespace), a_manifest(self.name, **{"spec__workers": WORKERS, **changes}))

    async def give_preset(self, **spec: Any) -> str:
        """Make a preset with the run's name, and return its path."""
        await self.api.create(PRESETS, a_preset_manifest(self.name, **spec))
        return f"{PRESETS}/{self.name}"

    async def change(self, **spec: Any) -> None:
        """Change fields of the spec."""
        await self.api.merge(self.path, {"spec": spec})

    async def delete(self) -> None:
        """Delete the run."""
        await self.api.delete(self.path)

    async def run(self) -> Object:
        """The run as it is; empty when it does not exist."""
        return await self.api.get(self.path) or {}

    async def until(self, status: str, *, attempt: int | None = None, seconds: float = SECONDS) -> None:
        """Wait until the Status column says so about the current spec, in this attempt."""

        async def is_so() -> bool:
            run = await self.run()
            found = run.get("status", {})
            return (
                found.get("columns", {}).get("status") == status
                and found.get("observedGeneration") == run["metadata"]["generation"]
                and attempt in (None, found.get("attempt"))
            )

        await self.wait(f"{status} in attempt {attempt or 'any'}", is_so, seconds=seconds, interval=1.0)

    async def until_children(self, count: int) -> None:
        """Wait until the run has so many children, pods included."""

        async def is_so() -> bool:
            return len(await self.children()) == count

        await self.wait(f"to have {count} children", is_so)

    async def until_nothing_is_left(self) -> None:
        """Wait until the run and all its children are gone."""

        async def is_so() -> bool:
            if await self.run():
                return False
            for kind in reversed(CHILDREN):  # those that go last are asked for first: most questions end there
                if await self._of_kind(kind):
                    return False
            return True

        await self.wait("to be gone with all its children", is_so)

    async def children(self) -> list[Object]:
        """All objects that carry the run's label, each with its kind."""
        lists = await asyncio.gather(*(self._of_kind(kind) for kind in CHILDREN))
        return [child for children in lists for child in children]

    async def succeed(self) -> None:
        """All workers of the current attempt end well, worker 0 last and with a result."""
        result = {"epochs": 2, "metrics": [{"name": "test_accuracy", "value": "0.9"}]}
        for pod in sorted(await self._workers(), key=_index, reverse=True):
            record = FinalRecord(
                contract_version=CONTRACT, attempt=_attempt(pod), worker=_index(pod), exit_code=ExitCode.SUCCEEDED
            )
            await self._end(pod, to_wire(record) | ({"result": result} if _index(pod) == 0 else {}))

    async def fail(self, *, code: int = ExitCode.INTERNAL, cause: str = Cause.RANK_FAILED) -> None:
        """Worker 1 fails, and worker 0 with it because it has lost a peer."""
        for pod in sorted(await self._workers(), key=_index, reverse=True):
            first = _index(pod) == 1
            record = FinalRecord(
                contract_version=CONTRACT,
                attempt=_attempt(pod),
                worker=_index(pod),
                exit_code=code if first else ExitCode.PEER_LOST,
                cause=cause if first else Cause.PEER_LOST,
                rank=1,
                message="Rank 1 has failed.",
            )
            await self._end(pod, to_wire(record))

    async def _of_kind(self, kind: str) -> list[Object]:
        found = await self.api.list(CHILDREN[kind].format(self.namespace), selector=f"trainingrun.dev/run={self.name}")
        return [{**item, "kind": kind} for item in found]

    async def _workers(self) -> list[Object]:
        """Pods of the current attempt."""
        attempt = (await self.run())["status"]["attempt"]
        selector = f"trainingrun.dev/run={self.name},trainingrun.dev/attempt={attempt}"
        return await self.api.list(CHILDREN["Pod"].format(self.namespace), selector=selector)

    async def _end(self, pod: Object, record: Object) -> None:
        """The container ends, as a kubelet reports it."""
        code = record["exitCode"]
        container = pod["status"]["containerStatuses"][0]
        moment = pod["status"]["startTime"]
        reason = "Completed" if code == 0 else "Error"
        ended = {"exitCode": code, "reason": reason, "message": json.dumps(record), "startedAt": moment, "finishedAt": moment}
        conditions = [condition for condition in pod["status"]["conditions"] if not condition["type"].endswith("Ready")]
        status = {
            "phase": "Succeeded" if code == 0 else "Failed",
            "conditions": [*conditions, {"type": "Ready", "status": "False"}],
            "containerStatuses": [{**container, "ready": False, "state": {"terminated": ended}}],
        }
        path = f"{CHILDREN['Pod'].format(self.namespace)}/{pod['metadata']['name']}"
        await self.api.merge(f"{path}/status", {"status": status})

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """The bell rings while the context lasts."""
        ringing = asyncio.create_task(self._ring())
        try:
            yield
        finally:
            ringing.cancel()
            await asyncio.gather(ringing, return_exceptions=True)

    async def _ring(self) -> None:
        while True:
            async for _ in self.api.changes(RUNS.format(self.namespace)):
                self.bell.set()

    async def wait(
        self, what: str, is_so: Callable[[], Awaitable[bool]], *, seconds: float = SECONDS, interval: float = 0.2
    ) -> None:
        """Wait until something is so, and fail with `what` was waited for and the run's status.

        It is looked at whenever a run has changed, and every `interval` seconds.
        """
        loop = asyncio.get_running_loop()
        patient = patience(seconds)
        deadline = loop.time() + patient
        while True:
            self.bell.clear()
            if await is_so():
                return
            if loop.time() > deadline:
                status = json.dumps((await self.run()).get("status", {}), indent=1)
                raise AssertionError(f"waited {patient:.0f} s for {self.name} {what}; its status: {status}")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.bell.wait(), interval)


def _index(pod: Object) -> int:
    return int(pod["metadata"]["labels"]["batch.kubernetes.io/job-completion-index"])


def _attempt(pod: Object) -> int:
    return int(pod["metadata"]["labels"]["trainingrun.dev/attempt"])
