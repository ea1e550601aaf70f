"""A run of the trainer, as a pod would start it, whose steps are those of a gang: one process takes all ranks' batches in turn.

`backwardPassesPerStep` adds up the gradients of so many batches before a step, and the rate grows by the same rule. But
for the order of a sum it is what as many ranks compute, which runs with real ranks show.
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
EPOCHS = {"MLP": 40, "CNN": 20}
"""Of training, by the network: 320 steps on 16 ranks and 5,000 on one, and half of that."""
CURVE_EPOCHS = 5
"""Of a curve that is compared."""
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


@dataclass(frozen=True)
class Gang:
    """How many ranks take a step together, and whether they are processes that exchange gradients, or one in their place."""

    ranks: int
    is_real: bool = False


def run(network: str, *, optimizer: str, gang: Gang, seed: int) -> Accuracies:
    """Train and prune in processes of their own. Raises RuntimeError when that fails."""
    compression = {"pruning": {"finalSparsities": [SPARSITY]}}
    result = _result(
        _config(network, optimizer=optimizer, gang=gang, seed=seed, epochs=EPOCHS[network], compression=compression)
    )
    found = {model["name"]: model["measured"]["accuracy"] for model in result["compression"]["models"]}
    return Accuracies(trained=found["dense"], pruned=found[f"pruned-{SPARSITY}"])


def curve(network: str, *, gang: Gang) -> list[float]:
    """Accuracy on the validation samples after each of some epochs with Adam. Raises RuntimeError when that fails."""
    result = _result(_config(network, optimizer="Adam", gang=gang, seed=1, epochs=CURVE_EPOCHS))
    return [epoch["val_accuracy"] for epoch in result["training"]["history"]]


def _result(config: AttemptConfig) -> dict[str, Any]:
    """The `result.json` of a run."""
    with tempfile.TemporaryDirectory(prefix="trainingrun-bench-") as name:
        folder = Path(name)
        done = subprocess.run(
            [PYTHON, "-m", "trainingrun_trainer"],
            env={**os.environ, **surroundings(config, folder=folder)},
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        if done.returncode != ExitCode.SUCCEEDED:
            raise RuntimeError(f"{config.model.builtin} failed: {done.stdout[-1000:]} {done.stderr[-1000:]}")
        found: dict[str, Any] = json.loads((folder / "output" / "bench" / "result.json").read_text())
        return found


def _config(network: str, *, optimizer: str, gang: Gang, seed: int, epochs: int, **spec: Any) -> AttemptConfig:
    return AttemptConfig.model_validate(
        {
            "run": {"namespace": "bench", "name": "bench", "uid": "bench"},
            "attempt": 1,
            "strategy": "Horovod" if gang.is_real else "Single",
            "replicas": 1,
            "processesPerWorker": gang.ranks if gang.is_real else 1,
            "backwardPassesPerStep": 1 if gang.is_real else gang.ranks,
            "data": {"source": {"builtin": "MNIST10k"}, "validationFraction": 0.2},
            "model": {"builtin": {"type": network}},
            "training": {
                "epochs": epochs,
                "batchSize": 64,
                "optimizer": OPTIMIZERS[optimizer],
                "schedule": {"scaling": "Auto"},
                "seed": seed,
            },
            "output": {"persistentVolumeClaim": {"claimName": "bench"}},
            **spec,
        }
    )
