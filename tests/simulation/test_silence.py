"""Workers that train where the operator cannot hear them, and conditions that others write beside its own."""

from typing import Any

import pytest

from tests.builders import stamp
from tests.simulation.world import NAMESPACE, World
from trainingrun.contract import StartMoments

TWO: dict[str, Any] = {"spec__workers": {"replicas": 2}, "spec__recovery": {"hangTimeoutSeconds": 600}}
SILENCE = 60
"""The operator's SILENCE_SECONDS by default."""
WORDS = "Worker 0 is ready, but the operator gets no progress from it at 10.244.0.5, port 8080"


def train(world: World, **changes: Any) -> None:
    world.apply(**{**TWO, **changes})
    world.settle()
    world.kubelet()
    world.settle()
    assert world.state() == "Running"


def message(world: World) -> str:
    return world.run().status.conditions[0].message


def never_heard(world: World) -> None:
    train(world)


def heard_no_more(world: World) -> None:
    train(world)
    world.report(epoch=1)
    world.silent.add("mnist")
    world.settle()


def not_heard_by_the_next_leader(world: World) -> None:
    heard_no_more(world)
    world._reports.clear()
    world._start_operator()
    world.settle()


@pytest.mark.parametrize("silence", [never_heard, heard_no_more, not_heard_by_the_next_leader], ids=lambda each: each.__name__)
def test_a_gang_that_cannot_be_heard_trains_on_and_says_so(world: World, silence: Any) -> None:
    silence(world)
    world.wait(SILENCE - 1)
    world.settle()
    assert WORDS not in message(world)
    world.wait(1)
    assert world.settle() == SILENCE, "it is looked at, although nobody reports"
    assert (world.state(), WORDS in message(world)) == ("Running", True)
    writes = len(world.writes)
    world.wait(86_400)
    world.settle()
    assert (world.state(), world.run().status.attempt, len(world.writes)) == ("Running", 1, writes)
    world.silent.clear()
    world.report(epoch=9)
    world.settle()
    assert (world.state(), message(world)) == ("Running", "Attempt 1 is training.")


def test_a_worker_that_is_heard_again_and_has_done_nothing_hangs(world: World) -> None:
    heard_no_more(world)
    world.wait(86_400)
    world.settle()
    assert world.state() == "Running"
    world.silent.clear()
    world.settle()
    failure = world.run().status.failure
    assert failure is not None
    assert failure.cause == "Hang"


def test_a_worker_that_its_kubelet_does_not_hear_either_hangs(world: World) -> None:
    heard_no_more(world)
    moments = StartMoments(first_step=world.now)
    world.book.note((NAMESPACE, "mnist"), world._reports["mnist"].model_copy(update={"moments": moments}))
    world.settle()
    world.pods["mnist-1-0"]["status"]["conditions"] = []
    world.wait(600)
    world.settle()
    failure = world.run().status.failure
    assert failure is not None
    assert failure.cause == "Hang"


def waiting(world: World) -> None:
    del world.claims["models"]
    world.apply(**TWO)
    world.settle()


def suspended(world: World) -> None:
    world.apply(**TWO, spec__suspend=True)
    world.settle()


def succeeded(world: World) -> None:
    train(world, spec__childrenTTLSecondsAfterFinished=9_999)
    world.succeed()
    world.settle()


@pytest.mark.parametrize("live", [train, waiting, suspended, succeeded], ids=lambda each: each.__name__)
def test_a_condition_of_somebody_else_makes_no_writes(world: World, live: Any) -> None:
    live(world)
    theirs = {"type": "Billed", "status": "True", "reason": "Paid", "message": "", "lastTransitionTime": stamp(world.now)}
    world.runs["mnist"]["status"]["conditions"].append({**theirs, "observedGeneration": 1})
    writes = len(world.writes)
    world.settle()
    assert len(world.writes) == writes
