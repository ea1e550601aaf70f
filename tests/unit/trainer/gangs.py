"""Agents with real ranks on this machine's loopback, as pods would run them."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainingrun.contract import AttemptConfig, FinalRecord

TIMEOUT = 120
STANDSTILL_SECONDS = 3.0
"""Several times what a call of steps takes."""


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on just now."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


Start = Callable[..., "Gang"]


@dataclass
class Gang:
    """Agents of one attempt, one per worker, as the pods would run them."""

    folder: Path
    agents: list["subprocess.Popen[bytes]"]
    ports: list[int]

    def wait(self) -> list[FinalRecord]:
        """Wait until all agents have ended; returns their last words."""
        for agent in self.agents:
            agent.wait(timeout=TIMEOUT)
        return self.records(*range(len(self.agents)))

    def records(self, *workers: int) -> list[FinalRecord]:
        """The last words of some workers that have ended."""
        return [FinalRecord.model_validate_json((self.folder / f"termination-{each}").read_bytes()) for each in workers]

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait until something is so that the gang brings about."""
        deadline = time.monotonic() + TIMEOUT
        while not condition():
            assert time.monotonic() < deadline, self.log(0)[-2000:]
            time.sleep(0.05)

    def wait_for_step(self, step: int) -> None:
        """Wait until worker 0 reports this many steps."""
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            if self.progress().get("step", 0) >= step:
                return
            time.sleep(0.1)
        raise AssertionError(f"no step {step} after {TIMEOUT} s: {self.log(0)[-2000:]}")

    def progress(self) -> dict[str, Any]:
        """What worker 0 answers; empty before it does."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[0]}/progress", timeout=1) as reply:
                parsed: dict[str, Any] = json.loads(reply.read())
        except OSError:
            return {}
        return parsed

    def wait_for_standstill(self) -> dict[str, Any]:
        """Wait until worker 0 has reported the same for so long that no call of steps is under way; returns the report."""
        deadline = time.monotonic() + TIMEOUT
        before: dict[str, Any] = {}
        while time.monotonic() < deadline:
            report = self.progress()
            if report and report == before:
                return report
            before = report
            time.sleep(STANDSTILL_SECONDS)
        raise AssertionError(f"worker 0 still reports something new after {TIMEOUT} s: {before}")

    def wait_until_alive(self, worker: int) -> None:
        """Wait until an agent answers."""
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            try:
                if self.status("GET", "/healthz", worker=worker) == 200:
                    return
            except OSError:
                time.sleep(0.02)
        raise AssertionError(f"worker {worker} does not answer after {TIMEOUT} s: {self.log(worker)[-2000:]}")

    def ask_for_stacks(self, worker: int) -> dict[str, Any]:
        """Ask a worker where its ranks are; returns its answer, once it answers."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.ports[worker]}/stacks", method="POST")
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(request, timeout=10) as reply:
                    parsed: dict[str, Any] = json.loads(reply.read())
            except OSError:
                parsed = {}
            if parsed.get("ranks"):
                return parsed
            if self.agents[worker].poll() is not None:
                break
        raise AssertionError(f"worker {worker} has not answered: {self.log(worker)[-2000:]}")

    def status(self, verb: str, path: str, *, worker: int = 0) -> int:
        """The HTTP status that a worker answers with."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.ports[worker]}{path}", method=verb)
        try:
            with urllib.request.urlopen(request, timeout=10) as reply:
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
        return children_of(self.agents[worker])[0]


def children_of(agent: "subprocess.Popen[bytes]") -> list[int]:
    """Pids of an agent's ranks; none once it has ended."""
    if agent.poll() is not None:
        return []
    return [int(pid) for pid in Path(f"/proc/{agent.pid}/task/{agent.pid}/children").read_text().split()]


def a_config(*, attempt: int = 1, replicas: int = 1, processes: int = 1, **spec: Any) -> AttemptConfig:
    """The configuration of an attempt; `spec` replaces parts of it."""
    return AttemptConfig.model_validate(
        {
            "run": {"namespace": "team", "name": "run", "uid": "uid-1"},
            "attempt": attempt,
            "strategy": "Single" if replicas * processes == 1 else "Horovod",
            "replicas": replicas,
            "processesPerWorker": processes,
            "startTimeoutSeconds": 60,
            "data": {"source": {"builtin": "MNIST10k"}},
            "model": {"builtin": {"type": "MLP"}},
            "training": {"epochs": 2},
            "output": {"persistentVolumeClaim": {"claimName": "models"}},
            **spec,
        }
    )


def start_agent(
    folder: Path,
    *,
    worker: int,
    rendezvous: int,
    progress: int,
    output: Path,
    builtin: Path,
    rank: str | None,
    variables: Mapping[str, str] | None = None,
) -> "subprocess.Popen[bytes]":
    """One agent; `rank` names a module of ours that its ranks run instead of the trainer's, `variables` change its world."""
    module = ["trainingrun_trainer"] if rank is None else ["tests.unit.trainer.altered_agent", rank]
    environment = {
        **os.environ,
        "JOB_COMPLETION_INDEX": str(worker),
        "TRAININGRUN_CONFIG": str(folder / "config.json"),
        "TRAININGRUN_COORDINATOR": f"127.0.0.1:{rendezvous}",
        "TRAININGRUN_RENDEZVOUS_PORT": str(rendezvous),
        "TRAININGRUN_PROGRESS_PORT": str(progress),
        "TRAININGRUN_BUILTIN_DATA": str(builtin),
        "TRAININGRUN_DATA_MOUNT": str(output / "data"),
        "TRAININGRUN_DATA_ACCESS_MOUNT": str(output / "data-access"),
        "TRAININGRUN_OUTPUT_MOUNT": str(output / "output"),
        "TRAININGRUN_OUTPUT_ACCESS_MOUNT": str(output / "output-access"),
        "TRAININGRUN_TERMINATION_MESSAGE": str(folder / f"termination-{worker}"),
        **(variables or {}),
    }
    with (folder / f"log-{worker}").open("wb") as log:
        return subprocess.Popen([sys.executable, "-m", *module], env=environment, stdout=log, stderr=log)


def result_of(tmp_path: Path) -> dict[str, Any]:
    """What the run has published."""
    parsed: dict[str, Any] = json.loads((tmp_path / "output" / "run" / "result.json").read_text())
    return parsed
