"""What `tools.trainer_bench.before` measures of one checkout: `python -P side.py PART [FOLDER]` prints numbers by name as JSON.

The checkout is the one on PYTHONPATH, which may be older than this file: nothing is used here that the older one has not.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

EPOCHS = 3
TIMEOUT = 600.0
CLAIM = {"persistentVolumeClaim": {"claimName": "bench"}}
TWO_RANKS = {"strategy": "Horovod", "processesPerWorker": 2}
COMPRESSED = {
    "pruning": {"finalSparsities": ["0.8"], "epochs": 3},
    "quantization": {"mode": "Int8", "calibrationSamples": 200},
}
RUNS: dict[str, dict[str, Any]] = {
    "digits, cnn": {"training": {"epochs": 3, "batchSize": 64}},
    "digits, mlp, compressed, two ranks": {"training": {"epochs": 5, "batchSize": 64}, "compression": COMPRESSED, **TWO_RANKS},
    "csv": {"data": {"source": CLAIM, "format": "CSV"}, "training": {"epochs": 2, "batchSize": 256}},
    "npz": {"data": {"source": CLAIM, "format": "NPZ"}, "training": {"epochs": 1, "batchSize": 256}},
    "folders": {
        "data": {"source": CLAIM, "format": "ImageFolder", "image": {"height": 64, "width": 64}},
        "training": {"epochs": 2, "batchSize": 64},
    },
    "records": {"data": {"source": CLAIM, "format": "TFRecord"}, "training": {"epochs": 2, "batchSize": 64}},
}
"""Whole runs: the name says the data, which are in the folder of that name."""


def epochs(name: str) -> dict[str, float]:
    """Images per second of a process, and per second of processors: the best of some epochs of the steps alone."""
    from tools.trainer_bench.networks import AUGMENTATION, Subject
    from tools.trainer_bench.throughput import ours

    subject = Subject.of(name)
    found = {}
    for variant, spec in (("augmented", {"augmentation": AUGMENTATION}), ("plain", {})):
        epoch = ours(subject, **spec)
        epoch()
        walls, processors = [], []
        for _ in range(EPOCHS if name == "mobilenet" else 3 * EPOCHS):
            wall, processor = time.perf_counter(), time.process_time()
            epoch()
            walls.append(time.perf_counter() - wall)
            processors.append(time.process_time() - processor)
        found[f"{name}, {variant}: ms per 1,000 images"] = 1e6 * min(walls) / len(subject.samples)
        found[f"{name}, {variant}: processor ms per 1,000 images"] = 1e6 * statistics.median(processors) / len(subject.samples)
    return found


def run(name: str, folder: Path) -> dict[str, float]:
    """Wall and processor seconds of a whole run as a pod starts it, and the most memory that one of its processes has used."""
    from tools.local_run import surroundings
    from trainingrun.contract import AttemptConfig

    with tempfile.TemporaryDirectory() as scratch:
        config = AttemptConfig.model_validate(_config(name))
        variables = {**os.environ, **surroundings(config, folder=Path(scratch)), "TRAININGRUN_DATA_MOUNT": str(folder / name)}
        begun = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "trainingrun_trainer"], env=variables, capture_output=True, text=True, timeout=TIMEOUT
        )
        if done.returncode != 0:
            raise RuntimeError(f"{name} failed: {done.stdout[-1000:]} {done.stderr[-1000:]}")
        wall = time.monotonic() - begun
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        f"run, {name}: s": wall,
        f"run, {name}: processor s": used.ru_utime + used.ru_stime,
        f"run, {name}: MiB": used.ru_maxrss / 1024,
    }


def _config(name: str) -> dict[str, Any]:
    network = "MLP" if "mlp" in name or name == "csv" else "CNN"
    return {
        "run": {"namespace": "bench", "name": "bench", "uid": "bench"},
        "attempt": 1,
        "strategy": "Single",
        "replicas": 1,
        "processesPerWorker": 1,
        "data": {"source": {"builtin": "MNIST10k"}},
        "model": {"builtin": {"type": network}},
        "output": CLAIM,
        **RUNS[name],
    }


def main(part: str, *arguments: str) -> int:
    """Measure one part, and print."""
    found = run(arguments[0], Path(arguments[1])) if part == "run" else epochs(part)
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
