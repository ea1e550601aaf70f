"""Try a workload with faults, many at once, and say how each try ended."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import aiohttp

from tests.faults.api import Api, Object
from tests.faults.faults import Faults, NoFaults, Watching
from tests.faults.lab import Lab
from tests.faults.oracle import Outcome, flat
from tests.faults.process import OperatorProcess
from tests.faults.proxy import Proxy
from tests.faults.stage import Stage
from tests.faults.workloads import Workload
from tests.patience import patience

QUIET_SECONDS = 0.5
"""An operator that has something to do asks for something more often, on a quiet machine."""
_NO_AUTHORITIES = {"SSL_CERT_FILE": "/dev/null", "SSL_CERT_DIR": "/dev/null"}
"""Reading those of the machine takes a third of an operator's start, which speaks to nobody over TLS here."""
_numbers = itertools.count(1)


class Rival(StrEnum):
    """What a second operator may do."""

    WAITS = "it waits for the Lease of the first one"
    LEADS = "it has a Lease of its own, and leads as well"


@dataclass(frozen=True)
class Trial:
    """A workload and what goes wrong meanwhile."""

    workload: Workload
    faults: Faults = field(default_factory=NoFaults)
    watching: Watching = field(default_factory=Watching)
    rival: Rival | None = None
    """A second operator."""

    def __str__(self) -> str:
        return f"{self.workload.__name__}, {self.faults}"


async def run_all(lab: Lab, trials: Sequence[Trial]) -> list[Outcome | Exception]:
    """The outcome of each trial, or why it did not come to its end; as many at once as there are namespaces."""
    free: asyncio.Queue[str] = asyncio.Queue()
    for namespace in lab.namespaces:
        free.put_nowait(namespace)

    async def one(trial: Trial) -> Outcome | Exception:
        namespace = await free.get()
        try:
            return await _run(lab, api, upstream, namespace, trial)
        except Exception as problem:
            return problem
        finally:
            free.put_nowait(namespace)

    async with lab.endpoint.session() as session, lab.endpoint.session(token=lab.token) as upstream:
        api = Api(session)
        return list(await asyncio.gather(*(one(trial) for trial in trials)))


async def _run(lab: Lab, api: Api, upstream: aiohttp.ClientSession, namespace: str, trial: Trial) -> Outcome:
    stage = Stage(api=api, namespace=namespace, name=f"{lab.name}-trial{next(_numbers):04}")
    names = {stage.name: "sample", stage.namespace: "team", lab.rival_namespace: "team"}
    operator = _an_operator(lab, namespace)
    proxy = Proxy(upstream=upstream, kill=operator.kill, faults=trial.faults, watching=trial.watching)
    try:
        async with proxy.serve() as url, stage.watching(), AsyncExitStack() as crew:
            await crew.enter_async_context(_operating(operator, server=url))
            if trial.rival is not None:
                leads_in = lab.rival_namespace if trial.rival is Rival.LEADS else namespace
                rival = _an_operator(lab, namespace, identity="rival", lease_namespace=leads_in)
                await crew.enter_async_context(_operating(rival, server=url))
            await _unless_it_ends(operator, trial.workload(stage))
            await _unless_it_ends(operator, _settle(proxy))
        end = await _end_state(stage, names=names)
    finally:
        await stage.delete()
        await stage.until_nothing_is_left()  # no operator is left to help
    return Outcome(end=end, writes=tuple(proxy.writes), struck=tuple(proxy.struck), names=names)


@asynccontextmanager
async def _operating(operator: OperatorProcess, *, server: str) -> AsyncIterator[None]:
    """An operator that talks to the proxy at this URL."""
    _write_kubeconfig(Path(operator.environment["KUBECONFIG"]), server=server)
    async with operator.running():
        yield


async def _unless_it_ends(operator: OperatorProcess, work: Awaitable[None]) -> None:
    """Do some work; an operator that ends by itself fails the trial at once."""
    working, failing = asyncio.ensure_future(work), asyncio.ensure_future(operator.has_failed.wait())
    try:
        await asyncio.wait({working, failing}, return_when=asyncio.FIRST_COMPLETED)
        assert not failing.done(), f"the operator ended by itself with {operator.exits}; its log is {operator.log}"
        working.result()
    finally:
        for task in (working, failing):
            task.cancel()
        await asyncio.gather(working, failing, return_exceptions=True)


def _an_operator(
    lab: Lab, namespace: str, *, identity: str = "operator", lease_namespace: str | None = None
) -> OperatorProcess:
    """An operator that leads and watches in one namespace. Started again it has the same identity, and leads at once."""
    return OperatorProcess(
        environment={
            "KUBECONFIG": str(lab.folder / f"{namespace}-{identity}.kubeconfig"),
            "TRAINER_IMAGE": "trainer:1",
            "POD_NAME": identity,
            "POD_NAMESPACE": lease_namespace or namespace,
            "WATCH_NAMESPACES": namespace,
            "PORT": "0",
            **_NO_AUTHORITIES,
            **lab.settings,
        },
        log=lab.folder / f"{namespace}-{identity}.log",
    )


def _write_kubeconfig(path: Path, *, server: str) -> None:
    """A kubeconfig for a proxy, which asks nobody who they are."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "proxy", "cluster": {"server": server}}],
        "users": [{"name": "nobody", "user": {"token": "none"}}],
        "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "nobody"}}],
        "current-context": "proxy",
    }
    path.write_text(json.dumps(config))


async def _settle(proxy: Proxy) -> None:
    """Wait until the operator has looked, since it was started last, and then has asked for nothing for a while."""
    loop = asyncio.get_running_loop()
    quiet, deadline = patience(QUIET_SECONDS), loop.time() + patience(30)
    seen, since = -1, loop.time()
    while loop.time() - since < quiet or not any("/trainingruns" in path for path in proxy.reads):
        assert loop.time() < deadline, f"the operator does not come to rest: {proxy.reads[-20:]}"
        if proxy.requests != seen:
            seen, since = proxy.requests, loop.time()
        await asyncio.sleep(0.1)


async def _end_state(stage: Stage, *, names: Mapping[str, str]) -> dict[str, object]:
    """The run and its children, without what other controllers add."""
    run = await stage.run()
    children = [_essence(child) for child in await stage.children()]
    seen = {"run": {part: run.get(part) for part in ("spec", "status")}, "metadata": _essence(run), "children": children}
    return flat(seen, names=names)


def _essence(found: Object) -> Object:
    """What we make of an object. Of pods, whose names have a random end, it is where they belong and how they are."""
    metadata = found.get("metadata", {})
    labels = metadata.get("labels", {})
    if found.get("kind") == "Pod":
        index = labels.get("batch.kubernetes.io/job-completion-index")
        attempt = labels.get("trainingrun.dev/attempt")
        return {"kind": "Pod", "name": f"{attempt}-{index}", "phase": found["status"]["phase"]}
    mine = {key: metadata.get(key) for key in ("labels", "annotations", "ownerReferences", "finalizers") if key in metadata}
    ours: Object = {} if found.get("kind") == "TrainingRun" else {key: found[key] for key in ("spec", "data") if key in found}
    return {"kind": found.get("kind"), "name": metadata.get("name"), **mine, **ours}
