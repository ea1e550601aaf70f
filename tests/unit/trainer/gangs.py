"""Agents with real ranks on this machine's loopback, as pods would run them."""

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.patience import patience
from tests.unit.trainer.forking import ForkServer
from tests.waiting import wait_for
from trainingrun.contract import FinalRecord
from trainingrun_trainer.agent.forked import Forked

TIMEOUT = 120
REPLY_SECONDS = 10
STANDSTILL_SECONDS = 1.5
"""Several times what a call of steps takes."""


@dataclass
class Gang:
    """Agents of one attempt, one per worker, as the pods would run them."""

    folder: Path
    agents: "list[subprocess.Popen[bytes] | Forked]"
    ports: list[int]
    server: ForkServer | None = None
    """The one that its processes are forked from, if they are."""

    def wait(self) -> list[FinalRecord]:
        """Wait until all agents have ended; returns their last words."""
        for agent in self.agents:
            agent.wait(timeout=patience(TIMEOUT))
        return self.records(*range(len(self.agents)))

    def records(self, *workers: int) -> list[FinalRecord]:
        """The last words of some workers that have ended."""
        return [FinalRecord.model_validate_json((self.folder / f"termination-{each}").read_bytes()) for each in workers]

    def wait_until(self, condition: Callable[[], bool], *, interval: float = 0.05) -> None:
        """Wait until something is so that the gang brings about."""
        deadline = time.monotonic() + patience(TIMEOUT)
        while not condition():
            assert time.monotonic() < deadline, self.log(0)[-2000:]
            time.sleep(interval)

    def wait_for_step(self, step: int) -> None:
        """Wait until worker 0 reports this many steps."""
        self.wait_until(lambda: self.progress().get("step", 0) >= step)

    def progress(self) -> dict[str, Any]:
        """What worker 0 answers; empty before it does."""
        try:
            with urllib.request.urlopen(self._url(0, "/progress"), timeout=patience(REPLY_SECONDS)) as reply:
                parsed: dict[str, Any] = json.loads(reply.read())
        except OSError:
            return {}
        return parsed

    def wait_for_standstill(self) -> dict[str, Any]:
        """Wait until worker 0 has reported the same for so long that no call of steps is under way; returns the report."""
        seen: list[dict[str, Any]] = []

        def is_still() -> bool:
            seen.append(self.progress())
            return len(seen) > 1 and bool(seen[-1]) and seen[-1] == seen[-2]

        self.wait_until(is_still, interval=patience(STANDSTILL_SECONDS))
        return seen[-1]

    def wait_until_alive(self, worker: int) -> None:
        """Wait until an agent answers."""

        def answers() -> bool:
            try:
                return self.status("GET", "/healthz", worker=worker) == 200
            except OSError:
                return False

        self.wait_until(answers, interval=0.02)

    def ask_for_stacks(self, worker: int) -> dict[str, Any]:
        """Ask a worker where its ranks are; returns its answer, once it answers."""
        request = urllib.request.Request(self._url(worker, "/stacks"), method="POST")

        def answer() -> dict[str, Any]:
            assert self.agents[worker].poll() is None, self.log(worker)[-2000:]
            try:
                with urllib.request.urlopen(request, timeout=patience(REPLY_SECONDS)) as reply:
                    parsed: dict[str, Any] = json.loads(reply.read())
            except OSError:
                parsed = {}
            return parsed

        return wait_for(
            answer, lambda said: bool(said.get("ranks")), what=f"worker {worker}'s answer", timeout=TIMEOUT, interval=0.01
        )

    def status(self, verb: str, path: str, *, worker: int = 0) -> int:
        """The HTTP status that a worker answers with."""
        request = urllib.request.Request(self._url(worker, path), method=verb)
        try:
            with urllib.request.urlopen(request, timeout=patience(REPLY_SECONDS)) as reply:
                return int(reply.status)
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code

    def terminate(self) -> None:
        """Tell all workers to stop, as the deletion of their Job does."""
        for agent in self.agents:
            agent.send_signal(signal.SIGTERM)

    def kill(self, worker: int) -> None:
        """End all processes of a worker at once, as the kernel does with a container that exceeds its memory."""
        os.killpg(self.rank_pid(worker), signal.SIGKILL)
        self.agents[worker].kill()
        self.agents[worker].wait()

    def log(self, worker: int) -> str:
        """What an agent has printed."""
        return (self.folder / f"log-{worker}").read_text()

    def rank_pid(self, worker: int) -> int:
        """Pid of the only rank of a worker."""
        return self.rank_pids(worker)[0]

    def rank_pids(self, worker: int) -> list[int]:
        """Pids of a worker's ranks; none once its agent has ended."""
        agent = self.agents[worker]
        if agent.poll() is not None:
            return []
        mine = pipes_of(agent.pid)
        born = children_of(agent.pid) + ([] if self.server is None else children_of(self.server.process.pid))
        return [pid for pid in born if pid != agent.pid and pipes_of(pid) & mine]

    def _url(self, worker: int, path: str) -> str:
        return f"http://127.0.0.1:{self.ports[worker]}{path}"


def children_of(pid: int) -> list[int]:
    """Pids of a process's children, the oldest first."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def pipes_of(pid: int) -> set[str]:
    """The pipes that a process has an end of; none once it has ended."""
    try:
        return {str(found) for each in Path(f"/proc/{pid}/fd").iterdir() if (found := each.readlink()).name.startswith("pipe:")}
    except OSError:
        return set()
