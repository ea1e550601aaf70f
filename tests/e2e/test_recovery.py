"""What happens when something ends in the middle of a run: it goes on from its checkpoint, and says what happened.

The ranks play (`tests.rank`): that training goes on to the same model is shown by `test_shipping.py`.
"""

import signal
from collections.abc import Callable

import pytest

from tests.e2e.conftest import Playground, is_true


def kill_ranks(playground: Playground, pod: str) -> None:
    playground.signal_ranks(pod, signal.SIGKILL)


@pytest.mark.parametrize(
    ("name", "kill", "cause", "rank"),
    [
        pytest.param("rank", kill_ranks, "RankKilled", 1, id="rank", marks=pytest.mark.smoke),
        pytest.param("container", Playground.kill_container, "PodFailed", None, id="container"),
    ],
)
def test_what_is_killed_is_named_and_the_next_attempt_goes_on(
    playground: Playground, name: str, kill: Callable[[Playground, str], None], cause: str, rank: int | None
) -> None:
    playground.play(name, epochs=None)
    before = playground.wait_for_epoch(name, 2)
    kill(playground, playground.pod(name, worker=1))
    failure = playground.wait_for_second_attempt(name).status.failure
    assert failure is not None
    assert (failure.cause, failure.rank, failure.worker, failure.signal) == (cause, rank, 1, 9)
    finished = playground.wait_until_finished(name)
    assert finished.status.result is not None
    assert finished.status.attempt == 2
    assert before.status.checkpoint is not None
    assert playground.epochs_logged(playground.pod(name, worker=0))[0] > before.status.checkpoint.epoch


def test_a_deleted_pod_costs_no_restart(playground: Playground) -> None:
    playground.play("deleted", epochs=None, spec__recovery={"maximumRestarts": 0})
    playground.wait_for_epoch("deleted", 2)
    playground.kubectl.run("delete", "pod", playground.pod("deleted", worker=1), "--wait=false")
    finished = playground.wait_until_finished("deleted")
    assert finished.status.result is not None
    assert finished.status.attempt == 2


def test_suspending_frees_the_pods_and_resuming_goes_on(playground: Playground) -> None:
    playground.play("paused", epochs=None)
    playground.wait_for_epoch("paused", 2)
    playground.kubectl.run("patch", "trun", "paused", "--type=merge", "-p", '{"spec":{"suspend":true}}')
    paused = playground.wait("paused", "suspended", lambda run: is_true(run, "Suspended"))
    assert playground.pods("paused") == []
    assert paused.status.checkpoint is not None
    done = paused.status.checkpoint.epoch
    playground.kubectl.run("patch", "trun", "paused", "--type=merge", "-p", '{"spec":{"suspend":false}}')
    finished = playground.wait_until_finished("paused")
    assert finished.status.result is not None
    assert finished.status.restarts == 0
    assert playground.epochs_logged(playground.pod("paused", worker=0))[0] >= done
