"""One object from raw data to a compressed model that is good enough, or to a verdict that says why it is not."""

import json
import os
import re
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Playground
from tools.kubectl import KubectlError
from tools.users import connected
from trainingrun import curves
from trainingrun.api import TrainingRun
from trainingrun.api.base import to_wire
from trainingrun.client.volume_pod import MOUNT, volume_pod

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "mnist-ship.yaml"
ANSWERS = Path(__file__).parent / "answers.py"
MINUTES_OF_THE_EXAMPLE = 6

TRIALS = 6
RATES = {"name": "training.optimizer.learningRate", "categorical": [0.003, 0.000001, 0.000002, 0.000003, 0.000004, 0.000005]}
SHIP = {
    "spec__data__testFraction": 0.1,
    "spec__training": {"epochs": 4, "batchSize": 64},
    "spec__tuning": {"algorithm": "Grid", "scheduler": "None", "trials": TRIALS, "epochsPerTrial": 2, "parameters": [RATES]},
    "spec__compression": {
        "pruning": {"finalSparsities": [0.5, 0.8], "epochs": 4},
        "quantization": {"mode": "Int8", "calibrationSamples": 100},
    },
    "spec__acceptance": {"minimum": 0.8},
}
FINALS = ("pruned-0.5-int8", "pruned-0.8-int8")


def values(metrics: tuple[Any, ...]) -> dict[str, str]:
    return {metric.name: metric.value for metric in metrics}


@pytest.fixture(scope="module")
def shipped(playground: Playground, digits: str) -> TrainingRun:
    """The full example, as it ended."""
    playground.kubectl.run("apply", "-f", str(EXAMPLE))
    return playground.wait_until_finished("mnist-ship", timeout=MINUTES_OF_THE_EXAMPLE * 60)


def test_the_full_example_ends_with_a_model_that_is_accepted(shipped: TrainingRun) -> None:
    result, accepted = shipped.status.result, shipped.status.condition("ModelAccepted")
    assert result is not None, shipped.status.failure
    assert shipped.status.tuning is not None
    assert shipped.status.tuning.completed > 0
    assert shipped.status.tuning.best is not None
    assert accepted is not None
    assert accepted.status == "True"
    assert result.best is not None
    assert result.best.name in accepted.message
    dense = next(artifact for artifact in result.artifacts if artifact.name == "dense")
    assert result.best.gzipped_bytes is not None
    assert dense.gzipped_bytes is not None
    assert result.best.gzipped_bytes * 5 < dense.gzipped_bytes
    ledger = shipped.status.ledger
    assert ledger is not None
    # A short stage may pass between two looks of an operator that has no processor.
    assert ledger.tuning_seconds + ledger.training_seconds > 0
    assert ledger.compressing_seconds > 0


def test_it_leaves_all_that_people_need_to_use_the_model_and_to_understand_it(
    playground: Playground, shipped: TrainingRun
) -> None:
    assert shipped.status.result is not None
    best = shipped.status.result.best
    assert best is not None
    folder = f"{MOUNT}/mnist-ship"
    image = playground.installation.trainer_image
    with connected(playground.kubectl) as client, volume_pod(client.cluster, claim="models", image=image) as pod:
        files = set(playground.kubectl.run("exec", pod, "--", "ls", folder).split())
        accuracy = playground.kubectl.run("exec", "-i", pod, "--", "python3", "-", folder, best.name, stdin=ANSWERS.read_text())
        saved = playground.kubectl.run("exec", pod, "--", "ls", f"{folder}/model", f"{folder}/tensorboard").split()
        details = json.loads(playground.kubectl.run("exec", pod, "--", "cat", f"{folder}/result.json"))
        digest = playground.kubectl.run("exec", pod, "--", "sha256sum", f"{folder}/{best.name}.tflite").split()[0]
    models = {f"{artifact.name}.tflite" for artifact in shipped.status.result.artifacts[1:]}
    assert {"model", "result.json", "report.html", "tensorboard", "tuning.jsonl", *models} <= files
    assert "saved_model.pb" in saved
    assert any(name.startswith("events.out.tfevents") for name in saved)
    assert digest == best.sha256
    assert accuracy.split()[-1] == values(best.metrics)["accuracy"]
    assert details["result"]["artifacts"] == to_wire(shipped.status.result)["artifacts"]


def test_its_report_is_fetched_by_one_command(playground: Playground, shipped: TrainingRun, tmp_path: Path) -> None:
    with connected(playground.kubectl) as client:
        page = client.get("mnist-ship").report(tmp_path).read_text()
    assert shipped.status.result is not None
    assert shipped.status.result.best is not None
    assert f"{shipped.status.result.best.name}" in page
    assert page.rstrip().endswith("</html>")


@pytest.mark.long
def test_a_model_that_is_not_good_enough_fails_the_run_once_and_for_all(playground: Playground) -> None:
    strict = {**SHIP, "spec__tuning": None, "spec__acceptance": {"minimum": 0.9999, "maximumGzippedBytes": 100}}
    playground.start("strict", **strict)
    status = playground.wait_until_finished("strict").status
    assert status.failure is not None
    assert (status.failure.cause, status.failure.exit_code) == ("NotAccepted", 66)
    assert "below acceptance.minimum 0.9999" in status.failure.message
    assert "more than acceptance.maximumGzippedBytes 100" in status.failure.message
    accepted = status.condition("ModelAccepted")
    assert accepted is not None
    assert accepted.status == "False"
    assert (status.attempt, status.restarts) == (1, 0)
    assert status.result is not None
    assert [artifact.accepted for artifact in status.result.artifacts if artifact.name in FINALS] == [False, False]
    (code,) = {
        container["state"]["terminated"]["exitCode"]
        for pod in playground.pods("strict")
        for container in pod["status"]["containerStatuses"]
        if pod["metadata"]["labels"]["batch.kubernetes.io/job-completion-index"] == "0"
    }
    assert code == 66
    jobs = playground.kubectl.list("jobs", selector="trainingrun.dev/run=strict")
    assert [job["metadata"]["name"] for job in jobs] == ["strict-1"]


@pytest.fixture(scope="module")
def undisturbed(playground: Playground) -> TrainingRun:
    """The run that the others are compared with."""
    playground.start("undisturbed", **SHIP)
    return playground.wait_until_finished("undisturbed")


MOMENTS = {
    "tuning": (r"trial \d+ completed", 1),
    "export": (f"{FINALS[-1]}: accuracy", 0),
}
"""What the log of worker 0 says when a worker is killed, and which. Gangs without pods are killed at the moments between."""


@pytest.mark.parametrize("stage", ["tuning", pytest.param("export", marks=pytest.mark.long)])
def test_a_run_whose_worker_is_killed_goes_on_at_that_stage_and_ends_as_it_would_have(
    playground: Playground, undisturbed: TrainingRun, stage: str
) -> None:
    words, worker = MOMENTS[stage]
    playground.start(stage, **SHIP)
    playground.wait(stage, "begun", lambda run: run.status.stage not in ("", "Queued", "Starting"))
    agent = playground.agent(playground.pod(stage, worker=worker))  # found before: the moment may be over in a second
    chief = playground.kubectl.log(playground.pod(stage, worker=0), timeout=180)
    said = next((found[0] for line in chief if (found := re.search(words, line))), None)
    os.kill(agent, signal.SIGKILL)
    assert said is not None, f"worker 0 ended without a word of {words}"
    ended = {said, *(found[0] for line in chief if (found := re.search(words, line)))}  # a kill takes a moment to be seen
    finished = playground.wait_until_finished(stage)
    assert (finished.status.attempt, finished.status.restarts) == (2, 1)
    assert finished.status.result is not None
    assert undisturbed.status.result is not None
    assert [(artifact.name, artifact.sha256) for artifact in finished.status.result.artifacts[1:]] == [
        (artifact.name, artifact.sha256) for artifact in undisturbed.status.result.artifacts[1:]
    ]
    after = log(playground, stage)
    if stage == "tuning":
        again = set(re.findall(words, after))
        assert not again & ended, "a trial that is finished is not run again"
        assert len(again) < TRIALS
        assert finished.status.tuning is not None
        assert finished.status.tuning.completed == TRIALS, "also those whose words have gone with the worker that was killed"
    else:
        assert "trial " not in after
    assert len(trained(after)) <= {"tuning": 4 + 2 * 4, "export": 0}[stage], "what is trained is not trained again"


def trained(log: str) -> list[curves.Epoch]:
    """The epochs that were trained, by the log of those who did."""
    told = filter(None, map(curves.read, log.splitlines()))
    return [epoch for epoch in told if not epoch.is_repeated]


def log(playground: Playground, name: str) -> str:
    """What the workers have said so far."""
    said = []
    for pod in playground.pods(name):
        with suppress(KubectlError):  # a container that has not started has no log
            said.append(playground.kubectl.run("logs", pod["metadata"]["name"]))
    return "".join(said)
