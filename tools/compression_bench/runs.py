"""What is run, and a run of it: the trainer itself, as a pod would start it, on one rank."""

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.compression_bench.models import Run, run_of
from tools.local_run import surroundings
from trainingrun.contract import AttemptConfig, ExitCode

ROOT = Path(__file__).parent.parent.parent
PYTHON = ROOT / ".venv-trainer" / "bin" / "python"
TIMEOUT = 1800.0

NETWORKS: dict[str, dict[str, Any]] = {"mlp": {"builtin": {"type": "MLP"}}, "cnn": {"builtin": {"type": "CNN"}}}
"""784-128-10, and 16-32-64 filters with 64 hidden units."""

MOST_LOST = 0.005
"""Of accuracy: what a model that is accepted may lose."""

PRUNED_INT8: dict[str, Any] = {
    "pruning": {"finalSparsities": [0.5, 0.8, 0.9, 0.94]},
    "quantization": {"mode": "Int8"},
}
"""The compression whose smallest accepted model counts."""

COMPRESSIONS: tuple[dict[str, Any], ...] = (
    PRUNED_INT8,
    {"quantization": {"mode": "Int8"}},
    {"quantization": {"mode": "Int8Aware"}},
)
"""A run for each. What is left out has the API's defaults."""

TRAINING = {
    "epochs": 20,
    "batchSize": 64,
    "optimizer": {"name": "Adam", "learningRate": 0.001},
    "schedule": {"type": "Cosine"},
}


def run(network: str, *, compression: Mapping[str, Any], seed: int) -> Run:
    """Train and compress in a process of its own; returns the models that it has left.

    Raises RuntimeError when the run fails for another reason than its models' quality.
    """
    with tempfile.TemporaryDirectory(prefix="trainingrun-bench-") as name:
        folder = Path(name)
        variables = surroundings(_config(network, compression=compression, seed=seed), folder=folder)
        done = subprocess.run(
            [PYTHON, "-m", "trainingrun_trainer"],
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        if done.returncode not in (ExitCode.SUCCEEDED, ExitCode.NOT_ACCEPTED):
            raise RuntimeError(f"{network} with {compression} failed: {done.stdout[-1000:]} {done.stderr[-1000:]}")
        return run_of(json.loads((folder / "output" / "bench" / "result.json").read_text()))


def _config(network: str, *, compression: Mapping[str, Any], seed: int) -> AttemptConfig:
    return AttemptConfig.model_validate(
        {
            "run": {"namespace": "bench", "name": "bench", "uid": "bench"},
            "attempt": 1,
            "strategy": "Single",
            "replicas": 1,
            "processesPerWorker": 1,
            "data": {"source": {"builtin": "MNIST10k"}, "validationFraction": 0.1, "testFraction": 0.1},
            "model": NETWORKS[network],
            "training": {**TRAINING, "seed": seed},
            "compression": dict(compression),
            "acceptance": {"maximumDegradation": MOST_LOST},
            "output": {"persistentVolumeClaim": {"claimName": "bench"}},
        }
    )
