"""What kube-state-metrics is told to read of a run is there: in the CRD, and in runs that were recorded."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools import state_metrics
from trainingrun.crd import custom_resource_definition

SCHEMA = custom_resource_definition()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
RECORDINGS = Path(__file__).parent.parent.parent.parent.joinpath(
    "manifests/gitops/argo-cd/resource_customizations/trainingrun.dev/TrainingRun/testdata"
)
(RESOURCE,) = yaml.safe_load(state_metrics.PAGE.read_text())["spec"]["resources"]


def paths() -> Iterator[tuple[str, Sequence[str]]]:
    """Every path that is read, with the metric that it is for."""
    for metric in RESOURCE["metrics"]:
        (kind,) = metric["each"].keys() - {"type"}
        found = metric["each"][kind]
        if "path" in found:
            yield metric["name"], found["path"]
        for label, path in found.get("labelsFromPath", {}).items():
            yield f"{metric['name']}:{label}", path


PATHS = dict(paths())


def resolve(value: Any, path: Sequence[str]) -> Any:
    """What kube-state-metrics finds there; `[name=x]` is the item of a list with this name."""
    for part in path:
        if value is None:
            return None
        if part.startswith("["):
            key, _, wanted = part[1:-1].partition("=")
            value = next((item for item in value if item.get(key) == wanted), None)
        else:
            value = value.get(part)
    return value


@pytest.mark.parametrize("name", [name for name, path in PATHS.items() if path[0] != "metadata"])
def test_the_crd_has_what_is_read(name: str) -> None:
    schema = SCHEMA
    for part in PATHS[name]:
        schema = schema["items"] if part.startswith("[") else schema["properties"][part]
    assert schema["type"] in ("integer", "string", "number")


@pytest.mark.parametrize("name", ["run_progress_percent", "run_epoch", "run_status", "run_attempt", "run_info:image"])
def test_a_run_that_trains_has_it(name: str) -> None:
    run = yaml.safe_load((RECORDINGS / "good-training.yaml").read_text())
    assert resolve(run, PATHS[name]) is not None


def test_what_is_measured_is_found_by_its_name() -> None:
    run = yaml.safe_load((RECORDINGS / "good-evaluating.yaml").read_text())
    assert float(resolve(run, PATHS["run_metric_val_loss"])) > 0


def test_the_status_of_every_recording_is_one_of_the_states() -> None:
    status = next(metric for metric in RESOURCE["metrics"] if metric["name"] == "run_status")["each"]["stateSet"]
    recorded = [yaml.safe_load(path.read_text()) for path in RECORDINGS.glob("*-succeeded.yaml")]
    assert recorded
    assert {resolve(run, status["path"]) for run in recorded} <= set(status["list"])


def test_no_label_has_a_value_that_a_trainer_image_chooses() -> None:
    """The image itself, its strategy and accelerator are what the operator has written down."""
    labels = {path for name, path in paths() if ":" in name for path in [tuple(path)]}
    assert {path[:2] for path in labels if path[0] == "status"} == {("status", "resolved")}
