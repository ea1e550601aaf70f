"""Runs that go well, from raw samples to a model. Stage `e2e`."""

from pathlib import Path

import pytest
import yaml

from tests.e2e.conftest import SMALL, Playground
from trainingrun.api import TrainingRun

EXAMPLES = Path(__file__).parent.parent.parent / "examples"

FIRST_RUN = EXAMPLES / "first-run.yaml"
MINUTES_OF_THE_README = 5


def conditions(run: TrainingRun) -> dict[str, str]:
    return {condition.type: condition.status for condition in run.status.conditions}


@pytest.mark.smoke
def test_the_run_of_the_readme_ends_with_a_small_model_that_is_accepted(playground: Playground) -> None:
    playground.kubectl.run("apply", "-f", str(FIRST_RUN))
    running = playground.wait("digits", "training", lambda run: run.status.stage == "Training")
    assert running.status.columns is not None
    assert running.status.columns.workers == "2/2"
    assert conditions(running)["Reconciling"] == "True"

    finished = playground.wait_until_finished("digits", timeout=MINUTES_OF_THE_README * 60)
    assert conditions(finished) == {
        "Succeeded": "True",
        "Ready": "True",
        "Suspended": "False",
        "Admitted": "True",
        "PodsReady": "False",
        "ModelAccepted": "True",
    }, finished.status.failure
    result = finished.status.result
    assert result is not None
    assert result.best is not None
    assert result.best.name == "pruned-0.8-int8"
    metrics = {metric.name: float(metric.value) for metric in result.metrics}
    assert metrics["test_accuracy"] > 0.9
    assert result.artifacts[0].uri == "pvc://models/digits/model"


def test_the_start_is_timed_from_pod_to_first_step(playground: Playground) -> None:
    timeline = playground.get("digits").status.timeline
    assert timeline is not None
    moments = [
        timeline.created,
        timeline.scheduled,
        timeline.container_started,
        timeline.rendezvous_done,
        timeline.tensorflow_ready,
        timeline.first_step,
    ]
    assert None not in moments
    assert moments == sorted(moments, key=str)


def test_kubectl_get_shows_the_columns(playground: Playground) -> None:
    header, row = playground.kubectl.run("get", "trun", "digits").splitlines()
    assert header.split() == ["NAME", "STATUS", "STAGE", "PROGRESS", "ETA", "METRIC", "WORKERS", "AGE"]
    assert row.split()[:4] == ["digits", "Succeeded", "Finished", "100%"]
    assert "test_accuracy=0.9" in row
    assert "2/2" in row


SOMEBODY = {"runAsUser": 12345, "fsGroup": 1000, "supplementalGroups": [3000]}
"""A user that the image does not know, who writes where others do by the group of the volume."""


def test_a_network_from_a_config_map_is_waited_for_and_trained_by_any_user(playground: Playground) -> None:
    code, run = yaml.safe_load_all((EXAMPLES / "own-network.yaml").read_text())
    marks = {name: {f"example.com/{name}": "vision"} for name in ("labels", "annotations")}
    run["spec"]["workers"] = {"replicas": 2, "resources": SMALL, "securityContext": SOMEBODY, **marks}
    run["spec"]["training"]["epochs"] = 2
    playground.kubectl.apply(run)
    waiting = playground.wait("own-network", "waiting", lambda found: bool(found.status.conditions))
    assert "There is no ConfigMap my-models (spec.model.entrypoint.configMapName)" in waiting.status.conditions[0].message

    playground.kubectl.apply(code)
    finished = playground.wait_until_finished("own-network")
    assert finished.status.result is not None, finished.status.failure
    metrics = {metric.name: float(metric.value) for metric in finished.status.result.metrics}
    assert metrics["val_accuracy"] > 0.9
    (first, _) = playground.pods("own-network")
    assert [first["metadata"][name][f"example.com/{name}"] for name in marks] == ["vision"] * 2
    assert SOMEBODY.items() <= first["spec"]["securityContext"].items()
