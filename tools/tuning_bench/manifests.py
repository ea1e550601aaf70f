"""The TrainingRuns that are measured: the MLP on the 10,000 digits that come with the trainer. Pure."""

from collections.abc import Mapping
from typing import Any

from trainingrun.api import Tuning

CLAIM = "models"
WORKERS = 2
SPACE = (
    {"name": "training.optimizer.learningRate", "double": {"minimum": 0.0001, "maximum": 0.01, "scale": "Log"}},
    {"name": "model.parameters.hiddenUnits", "categorical": [[64], [128], [256]]},
)

Manifest = dict[str, Any]


def tuning(*, trials: int, epochs: int, scheduler: str = "None") -> dict[str, Any]:
    """`spec.tuning`: TPE, where `scheduler` None lets every trial train all its epochs."""
    search = {"algorithm": "TPE", "scheduler": scheduler, "trials": trials, "epochsPerTrial": epochs, "parameters": list(SPACE)}
    Tuning.model_validate(search)
    return search


def search_in_gang(name: str, search: Mapping[str, Any], *, seed: int) -> Manifest:
    """One object whose two workers run all trials, and then train the best for one epoch."""
    spec = _spec(seed=seed, epochs=1, workers=WORKERS)
    return _run(name, {**spec, "tuning": dict(search)})


def single_trial(name: str, values: Mapping[str, str], *, epochs: int, seed: int) -> Manifest:
    """One object for one trial, on one worker; `values` by their paths in spec."""
    spec = _spec(seed=seed, epochs=epochs, workers=1)
    spec["training"]["optimizer"] = {"learningRate": float(values["training.optimizer.learningRate"])}
    spec["model"]["parameters"] = {"hiddenUnits": [int(values["model.parameters.hiddenUnits"])]}
    return _run(name, spec)


def _spec(*, seed: int, epochs: int, workers: int) -> dict[str, Any]:
    resources = {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"memory": "2Gi"}}
    return {
        "workers": {"replicas": workers, "resources": resources},
        "data": {"source": {"builtin": "MNIST10k"}, "validationFraction": 0.1},
        "model": {"builtin": {"type": "MLP"}},
        "training": {"epochs": epochs, "batchSize": 64, "seed": seed},
        "output": {"persistentVolumeClaim": {"claimName": CLAIM, "path": "bench"}},
    }


def _run(name: str, spec: dict[str, Any]) -> Manifest:
    return {"apiVersion": "trainingrun.dev/v1alpha1", "kind": "TrainingRun", "metadata": {"name": name}, "spec": spec}
