"""The operator as a process of its own that can be killed at any moment, and is started again whenever it ends.

A fork server has imported the operator once, so that a start takes a tenth of a second instead of seconds.
"""

import asyncio
import multiprocessing
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from kubernetes.aio.config import kube_config

from trainingrun_operator.__main__ import main

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["pytest", "trainingrun_operator.__main__", "tests.faults.preloaded"])


def _operate(environment: Mapping[str, str], log: Path) -> None:
    """The operator's life; the library has read KUBECONFIG when it was imported, in the fork server."""
    os.environ.update(environment)
    kube_config.KUBE_CONFIG_DEFAULT_LOCATION = environment["KUBECONFIG"]
    with log.open("a") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.exit(main())


@dataclass
class OperatorProcess:
    """One operator; `starts` counts its processes, and `exits` holds the codes of those that ended without being killed."""

    environment: Mapping[str, str]
    log: Path
    starts: int = 0
    exits: list[int | None] = field(default_factory=list)
    has_failed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once it has ended without being killed."""
    _process: ForkServerProcess | None = None
    _killed: bool = False
    _dead: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep it running while the context lasts, as the kubelet would."""
        keeping = asyncio.create_task(self._keep())
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    async def kill(self) -> None:
        """End it with SIGKILL; returns once it is dead. Another one is on its way by then."""
        dead, self._killed = self._dead, True
        if self._process is not None:
            self._process.kill()
            await dead.wait()

    async def _keep(self) -> None:
        while True:
            self._killed, self._dead = False, asyncio.Event()
            process = _forks.Process(target=_operate, args=(dict(self.environment), self.log), daemon=True)
            process.start()
            self._process = process
            self.starts += 1
            try:
                await _end_of(process)
                if not self._killed:
                    self.exits.append(process.exitcode)
                    self.has_failed.set()
            finally:
                process.kill()
                process.join()
                self._process = None
                process.close()
                self._dead.set()


async def _end_of(process: ForkServerProcess) -> None:
    """Wait until a process has ended."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(process.sentinel, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(process.sentinel)
