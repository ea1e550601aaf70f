"""An operator and runs of different releases: what it does not know it names, and the next operator goes on."""

from typing import Any

from tests.simulation.world import World

TWO: dict[str, Any] = {"spec__workers": {"replicas": 2}}


def start(world: World) -> None:
    """All workers of the first attempt train."""
    world.apply(**TWO)
    world.settle()
    world.kubelet()
    world.settle()
    world.report(epoch=1)
    world.settle()


def of_a_newer_release(world: World) -> None:
    """The run gets a field that this operator does not know, in a group that it does."""
    world.runs["mnist"]["spec"]["workers"]["placement"] = "Near"
    world.touch()


def stalled(world: World) -> dict[str, Any] | None:
    found = [each for each in world.runs["mnist"].get("status", {}).get("conditions", ()) if each["type"] == "Stalled"]
    return found[0] if found else None


def test_a_field_that_it_does_not_know_is_named_once(world: World) -> None:
    world.apply(**TWO)
    of_a_newer_release(world)
    world.settle()
    told = stalled(world)
    assert told is not None
    assert (told["status"], told["reason"]) == ("True", "OperatorTooOld")
    assert "spec.workers.placement" in told["message"]
    assert [event.message for event in world.events if event.reason == "Stalled"] == [told["message"]]
    writes = len(world.writes)
    world.wait(600)
    world.settle()
    assert len(world.writes) == writes
    assert world.kinds() == []


def test_a_gang_that_trains_goes_on_and_so_does_the_operator_that_knows_the_field(world: World) -> None:
    start(world)
    told = ("conditions", "columns", "observedGeneration")
    known = {key: value for key, value in world.runs["mnist"]["status"].items() if key not in told}
    pods = dict(world.pods)
    of_a_newer_release(world)
    world.settle()
    status = world.runs["mnist"]["status"]
    assert (stalled(world) or {})["reason"] == "OperatorTooOld"
    assert status["columns"]["status"] == "Stalled"
    assert {key: value for key, value in status.items() if key not in told} == known
    assert status["observedGeneration"] == world.runs["mnist"]["metadata"]["generation"]
    assert world.pods == pods

    del world.runs["mnist"]["spec"]["workers"]["placement"]  # as the newer operator reads it
    world.touch()
    world.settle()
    assert (world.state(), stalled(world), world.run().status.attempt) == ("Running", None, 1)


def test_a_run_that_has_ended_stays_as_it_was_and_its_change_is_seen(world: World) -> None:
    start(world)
    world.succeed()
    world.settle()
    before = dict(world.runs["mnist"]["status"])
    of_a_newer_release(world)
    world.settle()
    generation = world.runs["mnist"]["metadata"]["generation"]
    judged = [{**each, "observedGeneration": generation} for each in before["conditions"]]
    assert world.runs["mnist"]["status"] == {**before, "observedGeneration": generation, "conditions": judged}
    assert [event.reason for event in world.events if event.reason == "Stalled"] == []


def test_a_value_that_nothing_can_be_made_of_is_said_of_every_spec_until_it_is_mended(world: World) -> None:
    """With a rerun that is asked for before there was a first round."""
    search = {"parameters": [{"name": "training.optimizer.name", "categorical": ["Adam", ""]}]}
    world.apply(**TWO, spec__tuning=search, spec__rerun="1")
    for epochs in (3, 4):
        world.runs["mnist"]["spec"]["training"] = {"epochs": epochs}
        world.touch()
        world.settle()
        told, generation = stalled(world), world.runs["mnist"]["metadata"]["generation"]
        assert told is not None
        assert told["reason"] == "InvalidValue"
        assert "training.optimizer.name lists a value of 0 characters" in told["message"]
        assert (told["observedGeneration"], world.runs["mnist"]["status"]["observedGeneration"]) == (generation, generation)
    assert [event.reason for event in world.events].count("Stalled") == 1

    world.runs["mnist"]["spec"]["tuning"]["parameters"][0]["categorical"] = ["Adam", "SGD"]
    world.touch()
    world.settle()
    status = world.run().status
    assert (status.attempt, status.round, status.rerun) == (1, 1, "1")


def test_a_run_that_is_being_deleted_is_let_go(world: World) -> None:
    world.apply(**TWO)
    of_a_newer_release(world)
    world.runs["mnist"]["metadata"]["deletionTimestamp"] = "2026-01-01T12:00:00Z"
    assert world.settle() is None
    assert world.writes == []
