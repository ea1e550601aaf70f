"""`make bench`: how long the embedded cluster takes to start, and a run to its first step."""

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import cluster
from tools.dataset import upload
from tools.install import Installation, install, make_namespace
from tools.kubectl import Kubectl
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
        rows += [_row("cluster: warm up", "s", _repeat(lambda: _warm_up(backend)))]
        rows += [_row("cluster: up of a running one", "s", _repeat(lambda: _seconds(backend.up)))]
        installation = install(backend)
        rows += [_row("run: apply to first step, 2 workers", "s", _run_starts(installation))]
    finally:
        backend.down()
    report = {
        "machine": _machine(),
        "date": datetime.now(UTC).date().isoformat(),
        "commands": ["make bench"],
        "rows": rows,
        "ratios": {},
    }
    text = json.dumps(report, indent=2) + "\n"
    (ROOT / "docs" / "benchmarks" / "startup.json").write_text(text)
    print(text)
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
    upload(kubectl, digits, claim="datasets", path=digits.name, image=installation.trainer_image)
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


def _row(name: str, unit: str, values: list[float]) -> dict[str, object]:
    low, middle, high = min(values), statistics.median(values), max(values)
    return {"name": name, "unit": unit, "min": round(low, 2), "median": round(middle, 2), "max": round(high, 2)}


def _machine() -> str:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        "?",
    )
    return f"{platform.system()} {platform.machine()}, {len(os.sched_getaffinity(0))} cores, {model}"


if __name__ == "__main__":
    sys.exit(main())
