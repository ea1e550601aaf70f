"""Wall and processor seconds of a whole run of two ranks, for several cycle times of Horovod, by turns.

`python -m tools.trainer_bench.cycle` prints rows as JSON: an MLP that is only trained, and one that is searched, trained,
pruned and quantized, where ranks wait for each other more. The first round is not counted.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tools import measurements
from tools.local_run import surroundings
from tools.trainer_bench.networks import context
from trainingrun.api import StrategyType
from trainingrun_trainer.parallel.single import SingleProcess

ROUNDS = 3
TIMEOUT = 400.0
CYCLES = (0.1, 1.0)
TRAINING = {"epochs": 10, "batchSize": 64}
SEARCH = {
    "trials": 12,
    "epochsPerTrial": 3,
    "parameters": [
        {"name": "training.optimizer.learningRate", "double": {"minimum": 0.0001, "maximum": 0.01, "scale": "Log"}},
        {"name": "model.parameters.hiddenUnits", "categorical": [[64], [128], [256]]},
    ],
}
COMPRESSION = {
    "pruning": {"finalSparsities": [0.8, 0.9], "epochs": 10},
    "quantization": {"mode": "Int8", "calibrationSamples": 200},
}
RUNS: dict[str, dict[str, Any]] = {
    "trained": {"training": TRAINING},
    "searched, trained, compressed": {"training": TRAINING, "tuning": SEARCH, "compression": COMPRESSION},
}


def main() -> int:
    """Measure in turn, and print."""
    seen: dict[str, list[float]] = {}
    for round_number in range(ROUNDS + 1):
        for name, spec in RUNS.items():
            for cycle in CYCLES:
                wall, processor = _seconds(spec, cycle=cycle)
                print(f"{round_number} {name}, {cycle:g} ms: {wall:.1f} s, {processor:.1f} s of processors", file=sys.stderr)
                if round_number > 0:
                    seen.setdefault(f"{name}, cycle of {cycle:g} ms", []).append(wall)
                    seen.setdefault(f"{name}, cycle of {cycle:g} ms, of processors", []).append(processor)
    print(json.dumps([measurements.row(name, "s", values, digits=1) for name, values in seen.items()]))
    return 0


def _seconds(spec: dict[str, Any], *, cycle: float) -> tuple[float, float]:
    """Seconds of one run, and those of processors that the agent and its ranks took."""
    gang = {"strategy": StrategyType.HOROVOD, "processes_per_worker": 2, "cycle_time_milliseconds": cycle}
    config = context("mlp", SingleProcess(), **spec).config.model_copy(update=gang)
    with tempfile.TemporaryDirectory() as folder:
        variables = {**os.environ, **surroundings(config, folder=Path(folder))}
        before, begun = _of_processors(), time.monotonic()
        command = [sys.executable, "-m", "trainingrun_trainer"]
        subprocess.run(command, env=variables, capture_output=True, timeout=TIMEOUT, check=True)
        return time.monotonic() - begun, _of_processors() - before


def _of_processors() -> float:
    """Seconds that all ended children have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
