"""TrainingRun manifests for tests: a small valid one, and changes to it by path."""

import copy
from typing import Any

Manifest = dict[str, Any]


def a_manifest(name: str = "sample", **changes: Any) -> Manifest:
    """A valid TrainingRun on the data set in the image; `changes` are paths such as `spec__training__epochs=3`.

    A value of None removes the field.
    """
    manifest: Manifest = {
        "apiVersion": "trainingrun.dev/v1alpha1",
        "kind": "TrainingRun",
        "metadata": {"name": name},
        "spec": {
            "data": {"source": {"builtin": "MNIST10k"}},
            "model": {"builtin": {"type": "MLP"}},
            "training": {"epochs": 2},
            "output": {"persistentVolumeClaim": {"claimName": "models"}},
        },
    }
    for path, value in changes.items():
        _set(manifest, path.split("__"), value)
    return manifest


def _set(target: Manifest, path: list[str], value: Any) -> None:
    for part in path[:-1]:
        target = target.setdefault(part, {})
    if value is None:
        target.pop(path[-1], None)
    else:
        target[path[-1]] = copy.deepcopy(value)
