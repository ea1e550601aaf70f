"""Launch each kind of object by turns in a cluster of its own, and write docs/benchmarks/launch.json."""

import signal
import statistics
import sys
from collections.abc import Callable

import cluster
from tools import measurements
from tools.install import install, make_namespace
from tools.kubectl import Kubectl
from tools.launch_bench import peer
from tools.launch_bench.launch import Launch, launch
from tools.launch_bench.manifests import CLAIM, FILES, files, mpi_job, training_run

NAMESPACE = "bench-launch"
REPEATS = 5
GLOO, MPI = "ours with Gloo", "ours with MPI"
AT_STARTUP, WHEN_READY = "mpi-operator, launcher at startup", "mpi-operator, WaitForWorkersReady"

_OURS = "trainingrun.dev/run={name},batch.kubernetes.io/job-completion-index=0"
_THEIRS = "training.kubeflow.org/job-name={name},training.kubeflow.org/job-role=launcher"

Ways = dict[str, Callable[[str], Launch]]
Launches = dict[str, list[Launch]]


def main() -> int:
    """Measure, print and write."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the cluster is taken down then too
    backend = cluster.connect()
    try:
        installation = install(backend, say=_say)
        peer.install(backend, installation.kubectl)
        kubectl = make_namespace(installation.kubectl, NAMESPACE)
        backend.volume(claim=CLAIM, namespace=NAMESPACE)
        kubectl.apply(_claim(), files(FILES))
        launches = _measure(_ways(kubectl, image=installation.trainer_image))
    finally:
        backend.down()
    print(measurements.write("launch", _rows(launches), ratios=_ratios(launches), command="make bench-launch"))
    return 0


def _ways(kubectl: Kubectl, *, image: str) -> Ways:
    return {
        GLOO: lambda name: launch(kubectl, training_run(name, transport="Gloo"), speaks=_OURS),
        MPI: lambda name: launch(kubectl, training_run(name, transport="MPI"), speaks=_OURS),
        AT_STARTUP: lambda name: launch(kubectl, mpi_job(name, image=image, policy="AtStartup"), speaks=_THEIRS),
        WHEN_READY: lambda name: launch(kubectl, mpi_job(name, image=image, policy="WaitForWorkersReady"), speaks=_THEIRS),
    }


def _measure(ways: Ways) -> Launches:
    """By turns, so that what else the machine does meets all of them. Round 0 is not counted: files come from the disk."""
    launches: Launches = {way: [] for way in ways}
    for number in range(REPEATS + 1):
        for index, (way, measure) in enumerate(ways.items()):
            found = measure(f"launch-{index}-{number}")
            _say(f"round {number}, {way}: first step after {found.first_step:.2f} s, finished after {found.finished:.2f} s")
            if number:
                launches[way].append(found)
    return launches


def _rows(launches: Launches) -> list[measurements.Row]:
    return [
        measurements.row(f"{way}: apply to {what}", "s", [getattr(each, field) for each in found])
        for field, what in (("first_step", "first step"), ("finished", "finished"))
        for way, found in launches.items()
    ]


def _ratios(launches: Launches) -> dict[str, float]:
    """Of medians; the MPI operator's is that of its faster policy."""
    steps = {way: statistics.median(each.first_step for each in found) for way, found in launches.items()}
    ends = {way: statistics.median(each.finished for each in found) for way, found in launches.items()}
    fastest = min(AT_STARTUP, WHEN_READY, key=steps.__getitem__)
    return {
        "gloo_over_mpi_operator_first_step": steps[GLOO] / steps[fastest],
        "mpi_over_mpi_operator_first_step": steps[MPI] / steps[fastest],
        "gloo_over_mpi_operator_finished": ends[GLOO] / ends[fastest],
    }


def _claim() -> dict[str, object]:
    spec = {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": CLAIM}, "spec": spec}


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
