"""Pods that are refused: what is said of it is looked for while it matters, and the run goes on once it has passed."""

from typing import Any

from tests.builders import stamp
from tests.simulation.world import World

TWO: dict[str, Any] = {"spec__workers": {"replicas": 2}}
NO_ROOM = (
    'Error creating: pods "mnist-1-0-x" is forbidden: exceeded quota: team, requested: pods=1, used: pods=9, limited: pods=10'
)


def say(world: World, about: str, reason: str, message: str) -> None:
    """A controller or a kubelet tells an Event."""
    world.said.append(
        {"involvedObject": {"uid": about}, "reason": reason, "message": message, "lastTimestamp": stamp(world.now)}
    )


def job_uid(world: World) -> str:
    return str(world.objects["Job", f"mnist-{world.run().status.attempt}"]["metadata"]["uid"])


def ready(world: World) -> tuple[str, str]:
    condition = world.run().status.condition("Ready")
    assert condition is not None
    return condition.reason, condition.message


def refused(world: World) -> None:
    """The Job of the first attempt is there, and the quota has no room for its pods."""
    world.apply(**TWO)
    world.settle()
    say(world, job_uid(world), "FailedCreate", NO_ROOM)
    world.wait(5)
    world.settle()


def test_a_full_quota_is_said_waited_for_without_a_timeout_and_without_a_write(world: World) -> None:
    refused(world)
    assert (world.state(), ready(world)[0]) == ("Starting", "QuotaExceeded")
    assert "exceeded quota: team" in ready(world)[1]
    writes = len(world.writes)
    for _ in range(200):
        again = world.settle()
        assert again is not None
        world.wait(again)
    assert (world.writes[writes:], world.run().status.attempt) == ([], 1)
    world.kubelet()
    world.settle()
    assert (world.state(), world.run().status.restarts) == ("Running", 0)


def test_the_deadline_does_not_run_while_no_pod_may_be_made(world: World) -> None:
    world.apply(**TWO, spec__activeDeadlineSeconds=60)
    world.settle()
    say(world, job_uid(world), "FailedCreate", NO_ROOM)
    for _ in range(4):
        world.wait(5)
        world.settle()
    world.wait(3600)
    world.settle()
    assert (world.state(), ready(world)[0]) == ("Starting", "QuotaExceeded")
    world.kubelet()
    world.settle()
    world.report(epoch=1)
    world.wait(40)
    world.settle()
    assert world.state() == "Running"
    world.wait(30)
    world.look()
    assert (world.state(), ready(world)[0]) == ("Stopping", "DeadlineExceeded")


def test_what_was_refused_is_free_for_suspension_and_rerun(world: World) -> None:
    refused(world)
    world.apply(**TWO, spec__suspend=True)
    for _ in range(4):
        world.settle()
        world.finish_deletions()
    assert (world.state(), [kind for kind in world.kinds() if kind.startswith("Job")]) == ("Suspended", [])
    world.apply(**TWO, spec__suspend=False)
    world.settle()
    assert world.run().status.attempt == 2


def test_somebody_who_has_to_act_is_told_and_the_attempt_goes_on_when_that_is_done(world: World) -> None:
    world.apply(**TWO)
    world.settle()
    say(world, job_uid(world), "FailedCreate", "Error creating: no PriorityClass with name urgent was found")
    world.wait(700)
    world.settle()
    assert (world.state(), ready(world)[0]) == ("Stalled", "FailedCreate")
    world.kubelet()
    world.settle()
    world.report(epoch=1)
    world.settle()
    assert (world.state(), world.run().status.attempt, world.run().status.restarts) == ("Running", 1, 0)


def test_events_are_asked_for_while_pods_have_not_started_and_never_later(world: World) -> None:
    world.apply(**TWO)
    world.settle()
    world.wait(1)
    world.settle()
    assert world.asked_for_events == [], "a start that takes no time needs no explanation"
    world.wait(4)
    world.settle()
    assert world.asked_for_events == [job_uid(world)]
    world.kubelet()
    for _ in range(3):
        world.settle()
        world.wait(10)
    assert world.asked_for_events == [job_uid(world)]
