"""`make bench`: how long the embedded cluster takes to start, and a run to its first step."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import cluster
from tools import measurements
from tools.install import Installation, install, make_namespace
from tools.kubectl import Kubectl
from tools.users import put
from trainingrun.api import TrainingRun

ROOT = Path(__file__).parent.parent
REPEATS = 5
RUN_TIMEOUT = 300.0


def main() -> int:
    """Measure, print, and write docs/benchmarks/startup.json."""
    backend = cluster.connect(name="trainingrun-bench")
    backend.up()
    rows = []
    try:
        rows += [measurements.row("cluster: warm up", "s", _repeat(lambda: _warm_up(backend)))]
        rows += [measurements.row("cluster: up of a running one", "s", _repeat(lambda: _seconds(backend.up)))]
        installation = install(backend)
        rows += [measurements.row("run: apply to first step, 2 workers", "s", _run_starts(installation))]
    finally:
        backend.down()
    print(measurements.write("startup", rows, ratios={}, command="make bench"))
    return 0


def _warm_up(backend: cluster.Cluster) -> float:
    backend.down()
    return _seconds(backend.up)


def _run_starts(installation: Installation) -> list[float]:
    kubectl = make_namespace(installation.kubectl, "bench")
    for claim in ("datasets", "models"):
        installation.cluster.volume(claim=claim, namespace="bench")
    kubectl.run("apply", "-f", str(ROOT / "examples" / "volumes.yaml"))
    digits = ROOT / "examples" / "data" / "mnist-10k"
    put(kubectl, digits, claim="datasets", path=digits.name, image=installation.trainer_image)
    return _repeat(lambda: _run_start(kubectl))


def _run_start(kubectl: Kubectl) -> float:
    """Seconds from the creation of the object to the first step, as its status says them (whole seconds)."""
    kubectl.delete("trainingrun", "mnist")
    kubectl.run("apply", "-f", str(ROOT / "examples" / "mnist.yaml"))
    deadline = time.monotonic() + RUN_TIMEOUT
    while time.monotonic() < deadline:
        run = TrainingRun.parse(kubectl.get("trainingrun", "mnist") or {})
        timeline, created = run.status.timeline, run.metadata.creation_timestamp
        if timeline is not None and timeline.first_step is not None and created is not None:
            return (timeline.first_step - created).total_seconds()
        time.sleep(0.5)
    raise TimeoutError(f"no first step after {RUN_TIMEOUT:.0f} s")


def _repeat(measure: Callable[[], float]) -> list[float]:
    return [measure() for _ in range(REPEATS)]


def _seconds(work: Callable[[], object]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


if __name__ == "__main__":
    sys.exit(main())
