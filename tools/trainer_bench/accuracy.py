"""Seconds from the start of a process to a validation accuracy of 0.97: the common recipe, and ours, in turn.

A CNN on the digits, augmented by rotation, shifts, shear and zoom. `python -m tools.trainer_bench.accuracy` prints JSON.
"""

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tools import measurements
from tools.local_run import surroundings
from tools.trainer_bench.networks import AUGMENTATION, context
from trainingrun_trainer.parallel.single import SingleProcess

GOAL = 0.97
ROUNDS = 3
TIMEOUT = 240.0
TRAINING = {
    "epochs": 8,
    "batchSize": 64,
    "optimizer": {"name": "Adam", "learningRate": 0.003},
    "schedule": {"type": "Cosine", "warmupEpochs": 1},
}
"""A larger rate than people dare without a warm-up, which falls to zero within few epochs."""
_EPOCH = re.compile(r"epoch=\d+ .*val_accuracy=([0-9.]+)")


def main() -> int:
    """Measure in turn, and print."""
    seconds: dict[str, list[float]] = {"common recipe": [], "ours": []}
    for _ in range(ROUNDS):
        seconds["common recipe"].append(_until_goal([sys.executable, "-m", "tools.trainer_bench.recipe", str(GOAL)], {}))
        with tempfile.TemporaryDirectory() as folder:
            seconds["ours"].append(_until_goal([sys.executable, "-m", "trainingrun_trainer"], _surroundings(Path(folder))))
    rows = [
        measurements.row(f"start to {GOAL} on the digits: {name}", "s", values, digits=1) for name, values in seconds.items()
    ]
    print(json.dumps(rows))
    return 0


def _surroundings(folder: Path) -> dict[str, str]:
    """What a pod would find."""
    augmentation = {**AUGMENTATION, "horizontalFlip": False, "shearDegrees": 0.2}
    config = context("cnn", SingleProcess(), augmentation=augmentation, training=TRAINING).config
    return {**surroundings(config, folder=folder), "PYTHONPATH": ""}


def _until_goal(command: list[str], variables: dict[str, str]) -> float:
    """Seconds until a process prints an accuracy that is high enough.

    Raises RuntimeError when it ends without.
    """
    started = time.monotonic()
    process = subprocess.Popen(
        command, env={**os.environ, **variables}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            found = _EPOCH.search(line)
            if found is not None and float(found.group(1)) >= GOAL:
                return time.monotonic() - started
            if time.monotonic() - started > TIMEOUT:
                break
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=60)
        process.kill()
        process.stdout.close()
    raise RuntimeError(f"{' '.join(command)} has not reached {GOAL}")


if __name__ == "__main__":
    sys.exit(main())
