import os
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import cluster
from cluster.embedded import EmbeddedCluster
from tests.cluster_fixtures import admin, backend, fresh_namespace, one_process
from tests.e2e import record
from tests.manifests import a_manifest
from tests.patience import patience
from tests.rank import image
from tests.waiting import wait_for
from tools import users
from tools.install import OPERATOR, OPERATOR_NAMESPACE, Installation, install
from tools.kubectl import Kubectl
from tools.suite.accounts import Account, book, waiting
from trainingrun import curves
from trainingrun.api import TrainingRun

__all__ = ["admin", "backend"]

DIGITS = Path(__file__).parent.parent.parent / "examples" / "data" / "mnist-10k"
SMALL = {"requests": {"cpu": "50m", "memory": "600Mi"}, "limits": {"memory": "2Gi"}}
TINY = {"requests": {"cpu": "20m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}}
"""Of workers that play."""

SHORTEST = max(10, round(patience(3)))
"""Seconds of a time-out of a run that is meant to run out: the least that the API takes, unless a slow machine needs more."""

LAST_EPOCHS = round(patience(2))
"""Of a run that has gone on: a second on a quiet machine, in which tests see that it does."""

BRISK = {
    "RESTART_BACKOFF_SECONDS": "1",
    "POD_END_SECONDS": f"{patience(3):.0f}",
    "LOOK_AGAIN_SECONDS": "1",
    "STALLED_LOOK_AGAIN_SECONDS": "2",
    "FORBIDDEN_RETRY_SECONDS": "2",
    "QUEUE_FIRST_LOOK_SECONDS": "0.5",
    "QUEUE_LOOK_AGAIN_SECONDS": "2",
    "PROGRESS_INTERVAL_SECONDS": "1",
    "PROGRESS_POLL_SECONDS": "0.5",
    "RESYNC_SECONDS": "8",
    # A slow operator has not lost its Lease, nor is a slow worker gone or one that ends slowly without a word.
    "FAILURE_REPORT_SECONDS": f"{patience(10):.0f}",
    "LEASE_DURATION_SECONDS": f"{patience(7.5):.0f}",
    "LEASE_RENEW_DEADLINE_SECONDS": f"{patience(5):.0f}",
    "PROGRESS_TIMEOUT_SECONDS": f"{min(60, patience(1)):.1f}",
    "WORKER_CONNECT_TIMEOUT_SECONDS": f"{min(60, patience(0.5)):.1f}",
}
"""The operator's times, about a tenth of what they are by default: tests wait for events, and not for these. Its deadlines are
what they are by default, on a quiet machine."""


def pytest_configure(config: pytest.Config) -> None:
    """A marker of these tests only."""
    config.addinivalue_line(
        "markers", "alone: needs the cluster, or its operators, for itself; runs when the others have ended"
    )


FIRST = ("test_shipping.py", "test_mpi.py", "test_kueue.py", "test_rounds.py", "test_object_store.py", "test_training.py")
"""The longest, so that the last processor is not the only one that works."""
LAST = ("test_operator.py", "test_chart.py", "test_permissions.py", "test_upgrade.py")
"""What the operators have gone through is judged before they are replaced, and what they have asked for before others ask."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bring the files into their order."""
    order = {name: place for place, name in enumerate((*FIRST, "", *LAST), start=-len(FIRST))}
    items.sort(key=lambda item: order.get(item.path.name, 0))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Note what is run here, for tests that judge all of it."""
    record.add({item.path.name for item in session.items})


@pytest.fixture(scope="session")
def installation(backend: cluster.Cluster) -> Installation:
    """The operator of this checkout in the cluster, from the shipped images and manifests, and in a hurry."""
    with waiting(Account.IMAGE), one_process(backend):
        return install(backend, settings=BRISK, patience=patience(1))


@pytest.fixture(scope="session")
def played_image(installation: Installation) -> str:
    """The image of workers that play: see `tests.rank`."""
    with waiting(Account.IMAGE), one_process(installation.cluster):
        return image.load(installation.cluster)


@dataclass(frozen=True)
class Playground:
    """A namespace with a claim for output, in which runs are made, watched and broken."""

    namespace: str
    kubectl: Kubectl
    installation: Installation
    played_image: str

    def start(self, name: str, **changes: Any) -> None:
        """Apply a small TrainingRun that really trains; `changes` as in `a_manifest`."""
        defaults = {"spec__workers": {"replicas": 2, "resources": SMALL}}
        self.kubectl.apply(a_manifest(name, **{**defaults, **changes}))

    def play(
        self,
        name: str,
        *,
        workers: int = 2,
        epochs: int | None = 3,
        resources: Mapping[str, Any] = TINY,
        variables: Mapping[str, str] | None = None,
        grace_seconds: float = 30,
        further: Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> None:
        """Apply a TrainingRun whose ranks play, a quarter of a second each epoch (`tests.rank.play`, also for `variables`).

        `further` are fields of `spec.workers` that have no parameter here.

        Without `epochs` it plays until it is stopped, and ends soon after it has gone on from a checkpoint.
        """
        endless = {"PLAYED_EPOCHS_AFTER_CHECKPOINT": f"{LAST_EPOCHS}"} if epochs is None else {}
        env = [{"name": variable, "value": value} for variable, value in {**endless, **(variables or {})}.items()]
        grace = {"terminationGracePeriodSeconds": round(patience(grace_seconds))}
        played = {
            "spec__image": self.played_image,
            "spec__workers": {"replicas": workers, "resources": resources, "env": env, **grace, **(further or {})},
            "spec__training": {"epochs": epochs or 10_000},
        }
        self.start(name, **{**played, **changes})

    def get(self, name: str) -> TrainingRun:
        """The run as it is now."""
        found = self.kubectl.get("trainingrun", name)
        assert found is not None, f"there is no run {name}"
        return TrainingRun.parse(found)

    def wait(self, name: str, what: str, condition: Callable[[TrainingRun], bool], *, timeout: float = 180) -> TrainingRun:
        """Wait until the run meets a condition, and return it."""
        run = None
        for found in self.kubectl.watch("trainingrun", name, timeout=timeout):
            run = TrainingRun.parse(found)
            if condition(run):
                return run
        raise AssertionError(f"waited {patience(timeout):.0f} s for {name} to be {what}; last seen: {run and run.status}")

    def wait_until_finished(self, name: str, *, timeout: float = 240) -> TrainingRun:
        """Wait until the run has succeeded or failed."""
        run = self.wait(name, "finished", lambda run: run.status.is_finished, timeout=timeout)
        timeline = run.status.timeline
        if timeline is not None and timeline.container_started is not None and timeline.tensorflow_ready is not None:
            # What a hostile pod has said may be before its start.
            book(Account.IMPORT, seconds=max(0.0, (timeline.tensorflow_ready - timeline.container_started).total_seconds()))
        return run

    def wait_for_second_attempt(self, name: str) -> TrainingRun:
        """Wait until the run has begun its second attempt."""
        with waiting(Account.BACKOFF):
            return self.wait(name, "in its second attempt", lambda run: run.status.attempt == 2)

    def wait_for_epoch(self, name: str, epoch: int) -> TrainingRun:
        """Wait until a checkpoint of this epoch is reported."""
        return self.wait(
            name, f"after epoch {epoch}", lambda run: run.status.checkpoint is not None and run.status.checkpoint.epoch >= epoch
        )

    def kill_container(self, pod: str) -> None:
        """End the agent of a pod with SIGKILL, which only the node can: inside, the kernel protects PID 1."""
        os.kill(self.agent(pod), signal.SIGKILL)

    def agent(self, pod: str) -> int:
        """Process of a running pod's agent on this machine; the container's PID 1."""
        if not isinstance(self.installation.cluster, EmbeddedCluster):
            pytest.skip("only the embedded cluster's containers are processes of this machine")
        uid = (self.kubectl.get("pod", pod) or {})["metadata"]["uid"]
        agents = [
            int(folder.name)
            for folder in Path("/proc").glob("[0-9]*")
            if uid in _read(folder / "cgroup") and _read(folder / "cmdline").split("\0")[-2:-1] == ["trainingrun_trainer"]
        ]
        assert len(agents) == 1, f"one agent in {pod}, found {agents}"
        return agents[0]

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
        """Numbers of the epochs that a pod has trained, by its log."""
        told = map(curves.read, self.kubectl.run("logs", pod).splitlines())
        return [epoch.number for epoch in told if epoch is not None and not epoch.is_repeated]

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
def playground(installation: Installation, played_image: str, request: pytest.FixtureRequest) -> Iterator[Playground]:
    """A namespace of the module's own."""
    namespace = f"e2e-{request.module.__name__.rpartition('test_')[2].replace('_', '-')}"
    for kubectl in fresh_namespace(installation.kubectl, namespace):
        playground = Playground(namespace=namespace, kubectl=kubectl, installation=installation, played_image=played_image)
        make_claim(playground, "models")
        yield playground


@pytest.fixture(scope="module")
def digits(playground: Playground) -> str:
    """Name of a claim in the namespace that has the digits, in the folder `mnist-10k`."""
    make_claim(playground, "datasets")
    put(playground, DIGITS, path="mnist-10k")
    return "datasets"


def reason(run: TrainingRun) -> str:
    """What the first condition of a run gives as its reason; empty before the operator has looked at the run."""
    return run.status.conditions[0].reason if run.status.conditions else ""


def is_true(run: TrainingRun, condition: str) -> bool:
    """Whether a run has this condition, and it holds."""
    found = run.status.condition(condition)
    return found is not None and found.status == "True"


def uids(objects: Iterable[Mapping[str, Any]]) -> set[str]:
    """Those of objects: another object of the same name has another one."""
    return {each["metadata"]["uid"] for each in objects}


def make_claim(playground: Playground, name: str) -> None:
    """A claim of the namespace, with its volume."""
    playground.installation.cluster.volume(claim=name, namespace=playground.namespace)
    playground.kubectl.apply(a_claim(name))


def put(playground: Playground, folder: Path, *, path: str) -> None:
    """Copy a folder into the claim that has the digits."""
    users.put(playground.kubectl, folder, claim="datasets", path=path, image=playground.played_image)


def fetch(playground: Playground, name: str, file: str, *, into: Path) -> Path:
    """Copy a file of a run's output here, as its user would."""
    with users.connected(playground.kubectl) as client:
        (fetched,) = client.get(name).download(file, into=into)
    return fetched


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
