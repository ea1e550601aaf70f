"""Run all measurements, one process after the other, and write docs/benchmarks/trainer.json."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tools import measurements
from tools.measurements import Row

ROOT = Path(__file__).parent.parent.parent
PYTHON = ROOT / ".venv-trainer" / "bin" / "python"
SCIPY = ROOT / ".venv-bench"
TIMEOUT = 1800.0

NETWORKS = ("mlp", "cnn", "mobilenet")


def main() -> int:
    """Measure, print and write."""
    rows: list[Row] = []
    for network in NETWORKS:
        rows += _measured("throughput", network)
    for network in ("mlp", "cnn"):
        for ranks in (1, 2, 4):
            rows += _measured("scaling", str(ranks), network)
    rows += _measured("accuracy")
    rows += _measured("start")
    rows += _measured("memory")
    print(measurements.write("trainer", rows, ratios=_ratios(rows), command="make bench-trainer"))
    return 0


def _measured(part: str, *arguments: str) -> list[Row]:
    """Rows of one part, in a process of its own. The recipe needs SciPy, which the trainer does without."""
    print(f"measuring {part} {' '.join(arguments)}", flush=True)
    environment = {**os.environ, "PYTHONPATH": f".:{SCIPY}", "TF_CPP_MIN_LOG_LEVEL": "2"}
    done = subprocess.run(
        [PYTHON, "-m", f"tools.trainer_bench.{part}", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{part} failed: {done.stderr[-2000:]}")
    rows: list[Row] = json.loads(done.stdout.splitlines()[-1])
    for each in rows:
        print(f"  {each['name']}: {each['min']} / {each['median']} / {each['max']} {each['unit']}", flush=True)
    return rows


def _ratios(rows: list[Row]) -> dict[str, float]:
    """Ratios of medians."""
    median = {each["name"]: float(each["median"]) for each in rows}
    ratios: dict[str, float] = {}
    for network in NETWORKS:
        ours, plain = median[f"{network}: ours"], median[f"{network}: ours, no augmentation"]
        ratios[f"{network}_ours_over_recipe"] = ours / median[f"{network}: common recipe (ImageDataGenerator, fit)"]
        ratios[f"{network}_ours_over_no_augmentation"] = ours / plain
        ratios[f"{network}_no_augmentation_over_limit"] = plain / median[f"{network}: limit: a constant batch"]
    for network in ("mlp", "cnn"):
        for ranks in (2, 4):
            speed_up = median[f"{network}: {ranks} ranks"] / median[f"{network}: 1 ranks"]
            ratios[f"{network}_scaling_efficiency_of_{ranks}_ranks"] = speed_up / ranks
    recipe, ours = (median[f"start to 0.97 on the digits: {name}"] for name in ("common recipe", "ours"))
    ratios["recipe_over_ours_time_to_accuracy"] = recipe / ours
    return ratios


if __name__ == "__main__":
    sys.exit(main())
