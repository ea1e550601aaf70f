"""What happens when something ends in the middle of a run: it goes on from its checkpoint, and says what happened."""

import signal
import time
from collections.abc import Callable

import pytest

from tests.e2e.conftest import Playground

LONG = {"epochs": 60}
"""Half a minute of training on two cores: a checkpoint is in the status ten seconds after it was written at the latest."""


def kill_ranks(playground: Playground, pod: str) -> None:
    playground.signal_ranks(pod, signal.SIGKILL)


@pytest.mark.parametrize(
    ("name", "kill", "cause", "rank"),
    [
        pytest.param("rank", kill_ranks, "RankKilled", 1, id="rank", marks=[pytest.mark.long, pytest.mark.smoke]),
        pytest.param("container", Playground.kill_container, "PodFailed", None, id="container"),
    ],
)
def test_what_is_killed_is_named_and_the_next_attempt_goes_on(
    playground: Playground, name: str, kill: Callable[[Playground, str], None], cause: str, rank: int | None
) -> None:
    playground.start(name, spec__training=LONG)
    before = playground.wait_for_epoch(name, 2)
    kill(playground, playground.pod(name, worker=1))
    failure = playground.wait(name, "in its second attempt", lambda run: run.status.attempt == 2).status.failure
    assert failure is not None
    assert (failure.cause, failure.rank, failure.worker, failure.signal) == (cause, rank, 1, 9)
    finished = playground.wait_until_finished(name)
    assert finished.status.result is not None
    assert finished.status.attempt == 2
    assert before.status.checkpoint is not None
    assert playground.epochs_logged(playground.pod(name, worker=0))[0] > before.status.checkpoint.epoch


def test_a_deleted_pod_costs_no_restart(playground: Playground) -> None:
    playground.start("deleted", spec__training=LONG, spec__recovery={"maximumRestarts": 0})
    playground.wait_for_epoch("deleted", 2)
    playground.kubectl.run("delete", "pod", playground.pod("deleted", worker=1), "--wait=false")
    finished = playground.wait_until_finished("deleted")
    assert finished.status.result is not None
    assert finished.status.attempt == 2


def test_suspending_frees_the_pods_and_resuming_goes_on(playground: Playground) -> None:
    playground.start("paused", spec__training=LONG)
    playground.wait_for_epoch("paused", 2)
    playground.kubectl.run("patch", "trun", "paused", "--type=merge", "-p", '{"spec":{"suspend":true}}')
    paused = playground.wait(
        "paused", "suspended", lambda run: (c := run.status.condition("Suspended")) is not None and c.status == "True"
    )
    assert playground.pods("paused") == []
    assert paused.status.checkpoint is not None
    done = paused.status.checkpoint.epoch
    playground.kubectl.run("patch", "trun", "paused", "--type=merge", "-p", '{"spec":{"suspend":false}}')
    finished = playground.wait_until_finished("paused")
    assert finished.status.result is not None
    assert finished.status.restarts == 0
    assert playground.epochs_logged(playground.pod("paused", worker=0))[0] >= done


def test_a_run_goes_on_untouched_while_both_operators_are_replaced(playground: Playground) -> None:
    playground.start("untouched", spec__training=LONG)
    playground.wait_for_epoch("untouched", 1)
    before = {pod["metadata"]["uid"] for pod in playground.pods("untouched")}
    system = playground.installation.kubectl.within("trainingrun-system")
    system.run("delete", "pods", "--selector=app.kubernetes.io/name=trainingrun-operator", "--timeout=60s", timeout=90)
    finished = playground.wait_until_finished("untouched")
    assert finished.status.result is not None
    assert finished.status.attempt == 1
    assert {pod["metadata"]["uid"] for pod in playground.pods("untouched")} == before


@pytest.mark.smoke
def test_deleting_a_run_deletes_everything_also_without_an_operator(playground: Playground) -> None:
    playground.start("gone", spec__training={"epochs": 500})
    playground.wait_for_epoch("gone", 1)
    with playground.without_operator():
        playground.kubectl.delete("trainingrun", "gone")
        playground.wait_until_nothing_is_left("gone")


def test_an_idle_operator_writes_nothing_but_its_lease(playground: Playground) -> None:
    for name in ("idle-1", "idle-2"):
        playground.start(name, spec__suspend=True)
        playground.wait(
            name, "suspended", lambda run: run.status.columns is not None and run.status.columns.status == "Suspended"
        )
    playground.start("fifth", spec__workers=None)
    playground.wait_until_finished("fifth")
    playground.kubectl.run("wait", "--for=condition=complete", "job/fifth-1", "--timeout=30s")  # others still write until then
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
    time.sleep(60)
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
