"""A run in a queue of the real Kueue: held back, preempted by a more urgent one, admitted again. The ranks play."""

from collections.abc import Iterator

import pytest

from tests.e2e.conftest import SMALL, Playground
from tests.kueue.installation import kueue
from tests.kueue.queues import in_queue, queues
from tests.waiting import wait_for
from tools.install import Installation
from tools.kubectl import KubectlError
from trainingrun.api import TrainingRun

ONE_RUN = "150m"
"""CPU of the queue: room for the two workers of one run."""


@pytest.fixture(scope="module")
def queue(installation: Installation) -> Iterator[None]:
    """Kueue; it outlives the namespace, whose Jobs only it lets go."""
    with kueue(installation.cluster, installation.kubectl, namespace="e2e-kueue"):
        yield


@pytest.fixture(scope="module")
def team(queue: None, playground: Playground) -> Playground:
    """A namespace with a queue that has room for one run."""
    objects = queues(namespace=playground.namespace, cpu=ONE_RUN)
    # The webhook of a Kueue that has just become ready may not be known to the cluster's network yet.
    wait_for(lambda: _applied(playground, objects), bool, what="the queues to be accepted", timeout=60)
    return playground


def _applied(playground: Playground, objects: list[dict[str, object]]) -> bool:
    try:
        playground.installation.kubectl.apply(*objects)
    except KubectlError:
        return False
    return True


def column(run: TrainingRun) -> str:
    return run.status.columns.status if run.status.columns is not None else ""


def why(run: TrainingRun) -> tuple[str, str]:
    found = run.status.condition("Succeeded")
    return (found.reason, found.message) if found is not None else ("", "")


def told(run: TrainingRun) -> str:
    """Why a queue has stopped the run: its attempt waits, or was replaced because its stage was not clean (ADR 0014)."""
    return run.status.history[-1].cause if run.status.history else why(run)[0]


def test_a_run_waits_in_its_queue_is_preempted_and_goes_on_where_it_was(team: Playground) -> None:
    team.play("first", epochs=None, resources=SMALL, metadata__labels=in_queue("low"), spec__recovery={"maximumRestarts": 0})
    team.wait_for_epoch("first", 1)  # it holds the quota, whichever of two Jobs Kueue would have seen first

    team.play("second", epochs=None, resources=SMALL, metadata__labels=in_queue("low"))
    waiting = team.wait("second", "queued", lambda run: column(run) == "Queued" and "quota" in why(run)[1])
    assert why(waiting)[0] == "Pending"
    assert "cpu" in why(waiting)[1]
    assert (team.pods("second"), waiting.status.clock and waiting.status.clock.active_seconds) == ([], 0)
    services = team.kubectl.list("services", selector="trainingrun.dev/run=second")
    assert len(services) == 1, "the address that its workers will meet at, and no more"
    team.kubectl.delete("trainingrun", "second")
    team.wait_for_epoch("first", 2)

    team.play("urgent", epochs=5, resources=SMALL, metadata__labels=in_queue("high"))
    stopped = team.wait("first", "queued again", lambda run: column(run) == "Queued", timeout=60)
    assert (told(stopped), team.live_pods("first")) == ("Preempted", []), stopped.status
    before = stopped.status.checkpoint
    assert before is not None
    assert f"training goes on after epoch {before.epoch}" in why(stopped)[1]
    assert team.wait_until_finished("urgent").status.result is not None

    finished = team.wait_until_finished("first", timeout=500)
    status = finished.status
    assert status.result is not None
    *replaced, last = [(past.outcome, past.cause) for past in status.history]
    assert (status.attempt, status.restarts, last) == (len(status.history), 0, ("Succeeded", "")), status
    assert set(replaced) <= {("Restarted", "Preempted")}, "on a slow cluster its stage may not have been clean"
    assert team.epochs_logged(team.pod("first", worker=0))[0] > before.epoch
    ledger, clock = status.ledger, status.clock
    assert ledger is not None
    assert clock is not None
    accounts = ("queued", "suspended", "starting", "tuning", "training", "compressing", "evaluating", "lost")
    total = sum(getattr(ledger, f"{account}_seconds") for account in accounts)
    assert ledger.queued_seconds > 0
    assert ledger.lost_seconds == 0 or replaced
    assert clock.active_seconds + ledger.queued_seconds <= total + 1, "queued time is not running time"
