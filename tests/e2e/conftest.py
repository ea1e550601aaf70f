import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import cluster
from cluster.embedded import EmbeddedCluster
from tests.cluster_fixtures import admin, backend, fresh_namespace
from tests.manifests import a_manifest
from tests.waiting import wait_for
from tools.dataset import upload
from tools.install import OPERATOR, OPERATOR_NAMESPACE, Installation, install
from tools.kubectl import Kubectl
from trainingrun.api import TrainingRun

__all__ = ["admin", "backend"]

DIGITS = Path(__file__).parent.parent.parent / "examples" / "data" / "mnist-10k"
SMALL = {"requests": {"cpu": "50m", "memory": "600Mi"}, "limits": {"memory": "2Gi"}}


@pytest.fixture(scope="session")
def installation(backend: cluster.Cluster) -> Installation:
    """The operator of this checkout in the cluster, from the shipped images and manifests."""
    return install(backend)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What the operator may do is judged by what it has done, so it comes last."""
    items.sort(key=lambda item: item.path.name == "test_permissions.py")


@dataclass(frozen=True)
class Playground:
    """A namespace with the two claims, in which runs are made, watched and broken."""

    namespace: str
    kubectl: Kubectl
    installation: Installation

    def start(self, name: str, **changes: Any) -> None:
        """Apply a small TrainingRun; `changes` as in `a_manifest`."""
        defaults = {"spec__workers": {"replicas": 2, "resources": SMALL}}
        self.kubectl.apply(a_manifest(name, **{**defaults, **changes}))

    def get(self, name: str) -> TrainingRun:
        """The run as it is now."""
        found = self.kubectl.get("trainingrun", name)
        assert found is not None, f"there is no run {name}"
        return TrainingRun.parse(found)

    def wait(self, name: str, what: str, condition: Callable[[TrainingRun], bool], *, timeout: float = 180) -> TrainingRun:
        """Wait until the run meets a condition, and return it."""
        return wait_for(lambda: self.get(name), condition, what=f"{name} to be {what}", timeout=timeout)

    def wait_until_finished(self, name: str, *, timeout: float = 240) -> TrainingRun:
        """Wait until the run has succeeded or failed."""
        return self.wait(name, "finished", lambda run: run.status.is_finished, timeout=timeout)

    def wait_for_epoch(self, name: str, epoch: int) -> TrainingRun:
        """Wait until a checkpoint of this epoch is reported."""
        return self.wait(
            name, f"after epoch {epoch}", lambda run: run.status.checkpoint is not None and run.status.checkpoint.epoch >= epoch
        )

    def kill_container(self, pod: str) -> None:
        """End the agent of a pod, its PID 1, with SIGKILL, which only the node can: inside, the kernel protects PID 1."""
        if not isinstance(self.installation.cluster, EmbeddedCluster):
            pytest.skip("only the embedded cluster's containers are processes of this machine")
        uid = (self.kubectl.get("pod", pod) or {})["metadata"]["uid"]
        agents = [
            int(folder.name)
            for folder in Path("/proc").glob("[0-9]*")
            if uid in _read(folder / "cgroup") and _read(folder / "cmdline").split("\0")[-2:-1] == ["trainingrun_trainer"]
        ]
        assert len(agents) == 1, f"one agent in {pod}, found {agents}"
        os.kill(agents[0], signal.SIGKILL)

    def signal_ranks(self, pod: str, number: signal.Signals) -> None:
        """Send a signal to the training processes of a pod."""
        script = f"import os,glob; [os.kill(int(p.split('/')[2]), {number.value}) for p in glob.glob('/proc/[0-9]*/cmdline') "
        script += "if b'trainingrun_trainer.rank' in open(p,'rb').read().split(b'\\0')]"
        self.kubectl.run("exec", pod, "--", "python3", "-c", script)

    def pod(self, name: str, *, worker: int) -> str:
        """Name of the pod of a worker."""
        index = "batch.kubernetes.io/job-completion-index"
        names = [pod["metadata"]["name"] for pod in self.pods(name) if pod["metadata"]["labels"][index] == str(worker)]
        return str(names[0])

    def epochs_logged(self, pod: str) -> list[int]:
        """Numbers of the epochs that a pod's log tells of."""
        lines = self.kubectl.run("logs", pod).splitlines()
        return [int(line.split("epoch ")[1].split(":")[0]) for line in lines if "] epoch " in line]

    @contextmanager
    def without_operator(self) -> Iterator[None]:
        """No operator runs while this is open; afterwards both replicas are back."""
        system = self.installation.kubectl.within(OPERATOR_NAMESPACE)
        gone = ("--for=delete", "pods", "--selector=app.kubernetes.io/name=trainingrun-operator", "--timeout=60s")
        system.run("scale", f"deployment/{OPERATOR}", "--replicas=0")
        system.run("wait", *gone, timeout=70)
        try:
            yield
        finally:
            system.run("scale", f"deployment/{OPERATOR}", "--replicas=2")
            system.run("rollout", "status", f"deployment/{OPERATOR}", "--timeout=90s", timeout=100)

    def wait_until_nothing_is_left(self, name: str) -> None:
        """Wait until all objects of a run are gone, whether or not the run itself is."""
        kinds = "jobs,pods,services,configmaps,networkpolicies"
        wait_for(
            lambda: self.kubectl.run("get", kinds, "-l", f"trainingrun.dev/run={name}", "-o", "name"),
            lambda names: not names.strip(),
            what=f"all objects of {name} to be gone",
            timeout=90,
        )

    def pods(self, name: str) -> list[dict[str, Any]]:
        """The run's pods."""
        return list(self.kubectl.list("pods", selector=f"trainingrun.dev/run={name}"))

    def live_pods(self, name: str) -> list[dict[str, Any]]:
        """Those of the run's pods that may still do something: one that has ended stays until its Job has counted it."""
        return [pod for pod in self.pods(name) if pod["status"]["phase"] not in ("Succeeded", "Failed")]


@pytest.fixture(scope="module")
def playground(installation: Installation, request: pytest.FixtureRequest) -> Iterator[Playground]:
    """A namespace of the module's own, with the digits on one claim."""
    namespace = f"e2e-{request.module.__name__.rpartition('test_')[2].replace('_', '-')}"
    for kubectl in fresh_namespace(installation.kubectl, namespace):
        for claim in ("datasets", "models"):
            installation.cluster.volume(claim=claim, namespace=namespace)
            kubectl.apply(a_claim(claim))
        upload(kubectl, DIGITS, claim="datasets", path="mnist-10k", image=installation.trainer_image)
        yield Playground(namespace=namespace, kubectl=kubectl, installation=installation)


def _read(path: Path) -> str:
    """A file of a process; empty when it has ended."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def a_claim(name: str) -> dict[str, Any]:
    """A claim that one node may write."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
