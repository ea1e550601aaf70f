"""A run of the trainer, as a pod would start it, whose steps are those of a gang: one process takes all ranks' batches in turn.

`backwardPassesPerStep` adds up the gradients of so many batches before a step, and the rate grows by the same rule. But
for the order of a sum it is what as many ranks compute.
"""

import json
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.local_run import surroundings
from trainingrun.contract import AttemptConfig, ExitCode

ROOT = Path(__file__).parent.parent.parent
PYTHON = ROOT / ".venv-trainer" / "bin" / "python"
TIMEOUT = 1800.0
EPOCHS = 40
"""Of training: 320 steps on 16 ranks, and 5,000 on one."""
SPARSITY = 0.8

OPTIMIZERS: dict[str, dict[str, Any]] = {
    "Adam": {"name": "Adam", "learningRate": 0.001},
    "SGD": {"name": "SGD", "learningRate": 0.01, "momentum": 0.9},
}


@dataclass(frozen=True)
class Accuracies:
    """On the validation samples, of the best weights of training, and of those after pruning."""

    trained: float
    pruned: float


def run(*, optimizer: str, ranks: int, seed: int) -> Accuracies:
    """Train and prune in a process of its own. Raises RuntimeError when that fails."""
    with tempfile.TemporaryDirectory(prefix="trainingrun-bench-") as name:
        folder = Path(name)
        config = _config(optimizer=optimizer, ranks=ranks, seed=seed)
        done = subprocess.run(
            [PYTHON, "-m", "trainingrun_trainer"],
            env={**os.environ, **surroundings(config, folder=folder)},
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        if done.returncode != ExitCode.SUCCEEDED:
            raise RuntimeError(f"{optimizer} on {ranks} ranks failed: {done.stdout[-1000:]} {done.stderr[-1000:]}")
        return _accuracies(json.loads((folder / "output" / "bench" / "result.json").read_text()))


def _accuracies(result: dict[str, Any]) -> Accuracies:
    found = {model["name"]: model["measured"]["accuracy"] for model in result["compression"]["models"]}
    return Accuracies(trained=found["dense"], pruned=found[f"pruned-{SPARSITY}"])


def _config(*, optimizer: str, ranks: int, seed: int) -> AttemptConfig:
    return AttemptConfig.model_validate(
        {
            "run": {"namespace": "bench", "name": "bench", "uid": "bench"},
            "attempt": 1,
            "strategy": "Single",
            "replicas": 1,
            "processesPerWorker": 1,
            "backwardPassesPerStep": ranks,
            "data": {"source": {"builtin": "MNIST10k"}, "validationFraction": 0.2},
            "model": {"builtin": {"type": "MLP"}},
            "training": {
                "epochs": EPOCHS,
                "batchSize": 64,
                "optimizer": OPTIMIZERS[optimizer],
                "schedule": {"scaling": "Auto"},
                "seed": seed,
            },
            "compression": {"pruning": {"finalSparsities": [SPARSITY]}},
            "output": {"persistentVolumeClaim": {"claimName": "bench"}},
        }
    )
