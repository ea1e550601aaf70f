"""The same training over Open MPI and over Gloo, on two real pods under Pod Security `restricted`; and what may go wrong."""

import os
import re
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster.embedded import EmbeddedCluster
from tests.e2e.conftest import SHORTEST, SMALL, Playground, reason
from trainingrun.api.quantities import amount

MEETINGS = 3
"""Runs until one's sshd was met before worker 0 had come through it: whoever looks for it is a process among many."""
ANOTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGFub3RoZXIga2V5IG9mIDMyIGJ5dGVzLCBub2JvZHlz"
EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "mnist-mpi.yaml"


def accuracy(playground: Playground, name: str, manifest: dict[str, Any]) -> float:
    """What a run of this manifest ends with."""
    manifest["metadata"]["name"] = name
    manifest["spec"]["workers"]["resources"] = SMALL
    playground.kubectl.apply(manifest)
    finished = playground.wait_until_finished(name, timeout=400)
    assert finished.status.result is not None, finished.status.failure
    assert finished.status.attempt == 1
    return {metric.name: float(metric.value) for metric in finished.status.result.metrics}["val_accuracy"]


def test_the_example_trains_as_it_does_over_gloo(playground: Playground, digits: str) -> None:
    manifest = yaml.safe_load(EXAMPLE.read_text())
    over_mpi = accuracy(playground, "over-mpi", manifest)
    log = playground.kubectl.run("logs", "-l", "trainingrun.dev/run=over-mpi", "--tail=-1", "--prefix")
    assert "Server listening on" in log
    del manifest["spec"]["strategy"]["transport"]
    assert accuracy(playground, "over-gloo", manifest) == pytest.approx(over_mpi, abs=0.005)
    assert over_mpi > 0.9


@contextmanager
def every_sshd(playground: Playground, meets: Callable[[int, Path], None]) -> Iterator[None]:
    """Do something to each sshd of the cluster's pods as soon as it is there, from the machine that they run on.

    `meets` gets its pid and the folder of its configuration, as this machine sees it.
    """
    cluster, ended = playground.installation.cluster, threading.Event()
    if not isinstance(cluster, EmbeddedCluster):
        pytest.skip("only the embedded cluster's containers are processes of this machine")  # elsewhere no sshd can be met
    cgroup = f"/{cluster.layout().cgroup}/"

    def watch() -> None:
        met: set[int] = set()
        while not ended.wait(0.02):
            for pid, configuration in listening(cgroup):
                if pid not in met:
                    met.add(pid)
                    meets(pid, configuration)

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield
    finally:
        ended.set()
        watching.join()


def listening(cgroup: str) -> Iterator[tuple[int, Path]]:
    """Every sshd in a cgroup, and the folder of its configuration."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            command = (folder / "cmdline").read_text(errors="replace").replace("\0", " ")
            sshd = re.search(r"/usr/sbin/sshd -D -e -f /(\S+)/sshd_config", command)
            if sshd and cgroup in (folder / "cgroup").read_text():
                yield int(folder.name), folder / "root" / sshd[1]


def kill(pid: int, configuration: Path) -> None:
    os.kill(pid, signal.SIGKILL)


def change_lock(pid: int, configuration: Path) -> None:
    """Let another key in than that of worker 0."""
    # Not `write_text`: nobody, root included, may create files for others in a folder that is open to all (protected_regular).
    with (configuration / "authorized_keys").open("r+") as allowed:
        allowed.truncate()
        allowed.write(f"restrict {ANOTHER_KEY}\n")


@pytest.mark.parametrize(
    ("name", "meets", "words"),
    [("killed", kill, "Open MPI did not start: on worker"), ("locked-out", change_lock, "Too many authentication failures")],
    ids=["sshd killed", "wrong key"],
)
def test_a_door_that_does_not_open_ends_the_run_with_a_sentence(
    playground: Playground, name: str, meets: Callable[[int, Path], None], words: str
) -> None:
    failure = None
    with every_sshd(playground, meets):
        for attempt in range(MEETINGS):
            run = f"{name}-{attempt}"
            playground.start(run, spec__strategy={"transport": "MPI"}, spec__recovery={"maximumRestarts": 0})
            failure = playground.wait_until_finished(run, timeout=120).status.failure
            if failure is not None:
                break
    assert failure is not None
    assert failure.cause == "RendezvousFailed"
    assert words in failure.message
    assert "[sshd] and [mpirun]" in failure.hint


def test_a_worker_that_has_no_place_is_named_and_the_other_lets_go(playground: Playground) -> None:
    (node,) = playground.kubectl.list("nodes")
    # Memory, of which the runs of other tests leave more than enough for one worker.
    more_than_half = int(0.55 * float(amount(node["status"]["allocatable"]["memory"])))
    for_one = {"requests": {"cpu": "50m", "memory": str(more_than_half)}}
    playground.start(
        "half",
        spec__strategy={"transport": "MPI"},
        spec__workers={"replicas": 2, "resources": for_one},
        spec__recovery={"startTimeoutSeconds": SHORTEST},
    )
    waiting = playground.wait("half", "waiting", lambda run: reason(run) == "Unschedulable", timeout=60)
    assert "Worker 1 fits no node" in waiting.status.conditions[0].message
    again = playground.wait("half", "tried again", lambda run: run.status.attempt > 1, timeout=90).status
    assert (again.restarts, again.condition("Stalled")) == (0, None)
    playground.kubectl.delete("trainingrun", "half")
