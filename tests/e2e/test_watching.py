"""What Prometheus and people see of real operators: metrics that alerts and board ask for, runbooks' commands, Events."""

import json
from pathlib import Path

import pytest

from tests.e2e.conftest import Playground
from tests.schema.test_watching import BLOCK, RUNBOOKS, shell
from tests.watching.exposition import names
from tests.watching.test_board import asked_for
from tools.install import OPERATOR_NAMESPACE

LABEL = "app.kubernetes.io/name=trainingrun-operator"
ONLY_SOMETIMES = {"trainingrun_accelerators", "trainingrun_failures_total", "trainingrun_restarts_total"}
ONLY_SOMETIMES |= {"trainingrun_lost_seconds_total", "trainingrun_accelerator_seconds_total"}
"""Of causes and accelerators there is nothing before the first: the board shows a zero then."""


@pytest.fixture(scope="module")
def watched(playground: Playground) -> Playground:
    playground.play("watched", workers=1, epochs=1)
    playground.wait_until_finished("watched")
    return playground


def exposed(playground: Playground) -> str:
    """What both replicas say."""
    system = playground.installation.kubectl.within(OPERATOR_NAMESPACE)
    paths = [
        f"/api/v1/namespaces/{OPERATOR_NAMESPACE}/pods/{pod['metadata']['name']}:8081/proxy/metrics"
        for pod in system.list("pods", selector=LABEL)
    ]
    return "".join(system.run("get", "--raw", path) for path in paths)


def test_real_operators_say_what_alerts_and_board_ask_for(watched: Playground) -> None:
    said = exposed(watched)
    assert asked_for() - ONLY_SOMETIMES - names(said) == set()
    assert f'trainingrun_runs{{namespace="{watched.kubectl.namespace}",status="Succeeded"}}' in said


@pytest.mark.parametrize("page", [page for page in RUNBOOKS if "Operator" in page.stem], ids=lambda page: page.stem)
def test_the_diagnosis_of_an_operator_shows_something(watched: Playground, page: Path) -> None:
    diagnosis = page.read_text().partition("## Diagnosis")[2].partition("## Mitigation")[0]
    done = shell(watched.kubectl, "\n".join(BLOCK.findall(diagnosis)))
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_events_say_what_was_done_and_about_which_job(watched: Playground) -> None:
    listed = json.loads(watched.kubectl.run("get", "events.v1.events.k8s.io", "-o", "json"))["items"]
    found = {event["reason"]: event for event in listed if event["regarding"]["name"] == "watched"}
    assert {"AttemptStarted", "TrainingStarted", "Succeeded"} <= found.keys()
    assert found["AttemptStarted"]["related"]["name"] == "watched-1"
    assert found["Succeeded"]["action"] == "EndRun"
    assert found["Succeeded"]["reportingInstance"].startswith("trainingrun-operator")
