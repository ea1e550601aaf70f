"""Operators that are away, replaced or idle. They are the cluster's only ones, so nothing else runs meanwhile.

The ranks play (`tests.rank`): no operator sees a difference.
"""

import time

import pytest

from tests.e2e.conftest import BRISK, Playground, uids
from tests.patience import patience
from trainingrun.api import TrainingRunStatus

pytestmark = pytest.mark.alone

IDLE_SECONDS = 1.5 * float(BRISK["RESYNC_SECONDS"])
"""In which the operator looks at everything at least once, and has waited for everything that it waits for."""


def test_no_operator_was_disturbed_by_what_the_runs_of_other_tests_went_through(playground: Playground) -> None:
    operators = playground.installation.kubectl.within("trainingrun-system").list("pods")
    restarts = [status["restartCount"] for pod in operators for status in pod["status"]["containerStatuses"]]
    assert len(restarts) == 2
    assert restarts == [0, 0]


def test_a_run_goes_on_untouched_while_both_operators_are_replaced(playground: Playground) -> None:
    playground.play("untouched", epochs=round(patience(20)))
    playground.wait_for_epoch("untouched", 1)
    before = uids(playground.pods("untouched"))
    system = playground.installation.kubectl.within("trainingrun-system")
    system.run("delete", "pods", "--selector=app.kubernetes.io/name=trainingrun-operator", "--timeout=60s", timeout=90)
    finished = playground.wait_until_finished("untouched")
    assert finished.status.result is not None
    assert finished.status.attempt == 1
    assert uids(playground.pods("untouched")) == before


@pytest.fixture(scope="module")
def kept(playground: Playground) -> TrainingRunStatus:
    """How the run `kept` has ended, before its Job, and the run `gone`, were deleted while no operator was there."""
    playground.play("kept", workers=1, epochs=1)
    playground.play("gone", epochs=None)
    status = playground.wait_until_finished("kept").status
    playground.wait_for_epoch("gone", 1)
    with playground.without_operator():
        playground.kubectl.run("delete", "job", "kept-1", "--timeout=60s")
        playground.kubectl.delete("trainingrun", "gone")
        playground.wait_until_nothing_is_left("gone")
    return status


@pytest.mark.smoke
def test_deleting_a_run_deletes_everything_also_without_an_operator(playground: Playground, kept: TrainingRunStatus) -> None:
    assert playground.kubectl.get("trainingrun", "gone") is None
    assert playground.pods("gone") == []


def test_a_finished_run_stays_finished_when_its_objects_are_deleted_without_an_operator(
    playground: Playground, kept: TrainingRunStatus
) -> None:
    playground.play("other", workers=1, epochs=1)
    playground.wait_until_finished("other")  # the operator has looked at everything by then
    assert playground.get("kept").status == kept
    assert playground.pods("kept") == []


def test_an_idle_operator_writes_nothing_but_its_lease(playground: Playground) -> None:
    for name in ("idle-1", "idle-2"):
        playground.play(name, spec__suspend=True)
        playground.wait(
            name, "suspended", lambda run: run.status.columns is not None and run.status.columns.status == "Suspended"
        )
    ended = ["fourth", "fifth"]
    for name in ended:
        playground.play(name, workers=1)
    for name in ended:
        playground.wait_until_finished(name)
        playground.kubectl.run("wait", "--for=condition=complete", f"job/{name}-1", "--timeout=30s")  # others write until then
    finished = [run for run in playground.kubectl.list("trainingruns") if run["status"].get("completionTime")]
    assert len(finished) >= 5

    def versions() -> dict[str, str]:
        template = "jsonpath={range .items[*]}{.kind}/{.metadata.name}={.metadata.resourceVersion}{'\\n'}{end}"
        kinds = "trainingruns,jobs,pods,services,configmaps,networkpolicies"
        listed = playground.kubectl.run("get", kinds, "-o", template)
        about_runs = "--field-selector=involvedObject.kind=TrainingRun"
        listed += playground.kubectl.run("get", "events", about_runs, "-o", template)
        return dict(line.split("=") for line in listed.splitlines() if "=" in line)

    writes_before, versions_before = operator_writes(playground), versions()
    time.sleep(IDLE_SECONDS)
    assert versions() == versions_before
    assert operator_writes(playground) == writes_before


def operator_writes(playground: Playground) -> float:
    """How many calls other than reads both replicas have made through their client, Leases aside."""
    system = playground.installation.kubectl.within("trainingrun-system")
    total = 0.0
    for pod in system.list("pods", selector="app.kubernetes.io/name=trainingrun-operator"):
        path = f"/api/v1/namespaces/trainingrun-system/pods/{pod['metadata']['name']}:8081/proxy/metrics"
        for line in system.run("get", "--raw", path).splitlines():
            if line.startswith("trainingrun_operator_api_calls_total") and 'verb="GET"' not in line:
                total += float(line.rpartition(" ")[2])
    return total
