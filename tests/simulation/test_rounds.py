"""Reruns, the end of finished runs' objects, and what is remembered of attempts and of time."""

from typing import Any

import pytest

from tests.simulation.test_lives import (
    ACCEPTANCE,
    failed,
    happy,
    judge,
    killed_while_searching,
    not_accepted,
    rerun,
    restart,
    restarted,
    start,
    suspended_and_resumed,
)
from tests.simulation.world import World
from trainingrun_operator.cluster.port import ForbiddenError, InvalidError

TWO: dict[str, Any] = {"spec__workers": {"replicas": 2}}


def history(world: World) -> list[tuple[int, int, str, str]]:
    return [(past.round, past.attempt, past.outcome, past.cause) for past in world.run().status.history]


def life_of(world: World) -> float:
    """Seconds since the run was created."""
    created = world.run().metadata.creation_timestamp
    assert created is not None
    return (world.now - created).total_seconds()


def accounts(world: World) -> dict[str, int]:
    ledger = world.run().status.ledger
    assert ledger is not None
    names = ("queued", "suspended", "starting", "tuning", "training", "compressing", "evaluating", "lost")
    spent = {name: getattr(ledger, f"{name}_seconds") for name in names}
    if ledger.since is not None:
        spent[ledger.account.lower()] += int((world.now - ledger.since).total_seconds())
    return spent


@pytest.mark.parametrize("live", [happy, failed], ids=["succeeded", "failed"])
def test_a_finished_run_is_run_again_from_the_beginning(world: World, live: Any) -> None:
    live(world)
    rerun(world)
    status = world.run().status
    assert (world.state(), status.round, status.attempt, status.rerun) == ("Running", 2, 2, "again")
    assert (status.result, status.failure, status.completion_time, status.restarts) == (None, None, None, 0)
    assert world.kinds() == ["ConfigMap/mnist-2-run-1", "Job/mnist-2", "NetworkPolicy/mnist-2", "Service/mnist-2"]


def model_accepted(world: World) -> tuple[str, str]:
    condition = world.run().status.condition("ModelAccepted")
    assert condition is not None
    return condition.status, condition.reason


def test_a_model_that_is_not_accepted_is_not_trained_again_by_itself_and_stays_readable(world: World) -> None:
    not_accepted(world)
    written = len(world.writes)
    for _ in range(3):
        world.wait(3600)
        assert world.settle() is None
    status = world.run().status
    assert (world.state(), status.attempt, len(world.writes)) == ("Failed", 1, written)
    assert model_accepted(world) == ("False", "NotAccepted")
    assert status.result is not None
    assert [(artifact.name, artifact.accepted) for artifact in status.result.artifacts] == [("model", False)]
    assert history(world) == [(1, 1, "Failed", "NotAccepted")]
    assert set(world.pods) == {"mnist-1-0", "mnist-1-1"}


def test_a_model_that_was_not_accepted_is_judged_anew_in_the_next_round(world: World) -> None:
    not_accepted(world)
    rerun(world, **ACCEPTANCE)
    assert (world.state(), world.run().status.result, model_accepted(world)) == ("Running", None, ("Unknown", "NotJudged"))
    judge(world, is_accepted=True)
    assert (world.state(), model_accepted(world)) == ("Succeeded", ("True", "Accepted"))


def test_the_next_round_forgets_the_search(world: World) -> None:
    killed_while_searching(world)
    found = world.run().status.tuning
    assert found is not None
    assert (found.completed, found.attempt) == (5, 1)
    rerun(world)
    assert world.run().status.tuning is None


def test_a_running_attempt_is_stopped_before_the_next_round_begins(world: World) -> None:
    start(world)
    world.apply(**TWO, spec__rerun="again")
    world.settle()
    assert (world.state(), world.run().status.attempt) == ("Stopping", 1)
    assert set(world.pods) == {"mnist-1-0", "mnist-1-1"}
    restart(world)
    assert (world.state(), world.run().status.round, world.run().status.attempt) == ("Running", 2, 2)
    assert history(world) == [(1, 1, "Replaced", "")]


def test_a_rerun_wins_over_another_intent_to_stop(world: World) -> None:
    start(world)
    world.apply(**TWO, spec__suspend=True)
    world.settle()
    rerun(world)
    assert (world.state(), world.run().status.round) == ("Running", 2)


def test_a_suspended_run_that_is_run_again_stays_suspended_in_its_next_round(world: World) -> None:
    world.apply(**TWO, spec__suspend=True)
    world.settle()
    world.apply(**TWO, spec__suspend=True, spec__rerun="again")
    world.settle()
    assert (world.state(), world.run().status.round, world.run().status.attempt) == ("Suspended", 2, 0)


def test_a_value_that_is_there_from_the_beginning_asks_for_nothing(world: World) -> None:
    start(world, spec__rerun="first")
    assert (world.run().status.round, world.run().status.rerun) == (1, "first")


def test_emptying_the_field_asks_for_nothing_and_nor_does_putting_it_back(world: World) -> None:
    """As a pipeline does that applies an older manifest, and then its own again."""
    happy(world)
    rerun(world, "a")
    world.succeed()
    world.settle()
    world.apply(**TWO)
    world.settle()
    assert (world.state(), world.run().status.rerun, world.run().status.round) == ("Succeeded", "a", 2)
    world.apply(**TWO, spec__rerun="a")
    world.settle()
    assert (world.state(), world.run().status.round) == ("Succeeded", 2)
    rerun(world, "b")
    assert world.run().status.round == 3


def test_the_next_round_takes_the_changed_specification(world: World) -> None:
    happy(world)
    world.apply(spec__workers={"replicas": 3}, spec__rerun="wider", spec__training={"epochs": 9})
    restart(world)
    resolved = world.run().status.resolved
    assert resolved is not None
    assert resolved.replicas == 3
    assert len([name for name in world.pods if name.startswith("mnist-2-")]) == 3


def test_a_change_of_a_finished_run_is_seen_and_changes_nothing_else(world: World) -> None:
    happy(world)
    before = world.run().status
    world.apply(**TWO, spec__suspend=True)
    world.settle()
    after = world.run().status
    assert after.observed_generation == 2
    assert {condition.observed_generation for condition in after.conditions} == {2}
    assert (after.columns, after.result, world.state()) == (before.columns, before.result, "Succeeded")


def test_the_objects_of_a_finished_run_go_when_their_time_is_over_and_the_result_stays(world: World) -> None:
    world.apply(**TWO, spec__childrenTTLSecondsAfterFinished=600)
    world.settle()
    world.kubelet()
    world.settle()
    world.succeed()
    world.settle()
    assert world.settle() == pytest.approx(600)
    world.wait(600)
    world.settle()
    world.finish_deletions()
    world.settle()
    assert (world.kinds(), world.pods, world.state()) == ([], {}, "Succeeded")
    writes = len(world.writes)
    world.wait(9999)
    world.settle()
    assert len(world.writes) == writes


@pytest.mark.parametrize("seconds", [None, 0], ids=["kept", "gone"])
def test_a_finished_run_is_never_started_again_by_the_loss_of_its_objects(world: World, seconds: int | None) -> None:
    happy(world)
    world.objects.clear()
    world.pods.clear()
    world.apply(**TWO, spec__childrenTTLSecondsAfterFinished=seconds)
    world.settle()
    assert (world.state(), world.kinds(), world.run().status.attempt) == ("Succeeded", [], 1)


def test_the_last_five_attempts_are_remembered(world: World) -> None:
    restarted(world)
    for number in range(5):
        rerun(world, f"r{number}")
        world.succeed()
        world.settle()
    assert [past[:3] for past in history(world)] == [(number, number + 1, "Succeeded") for number in range(2, 7)]


def test_history_says_why_an_attempt_ended(world: World) -> None:
    restarted(world)
    assert history(world) == [(1, 1, "Restarted", "RankKilled"), (1, 2, "Succeeded", "")]


@pytest.mark.parametrize("live", [happy, restarted, suspended_and_resumed, failed], ids=lambda live: live.__name__)
def test_the_accounts_add_up_to_the_life_of_the_run(world: World, live: Any) -> None:
    settle = world.settle

    def slowly(*arguments: Any, **options: Any) -> float | None:
        world.wait(7)
        return settle(*arguments, **options)

    world.settle = slowly  # type: ignore[method-assign]  # time passes at every step
    live(world)
    assert sum(accounts(world).values()) == int(life_of(world))


def test_work_after_the_last_checkpoint_of_an_attempt_that_died_is_lost(world: World) -> None:
    start(world)
    world.wait(60)
    world.report(epoch=3)
    world.settle()
    world.wait(25)
    for index in (0, 1):
        world.end_pod(index, code=70, cause="RankFailed")
    world.settle()
    spent = accounts(world)
    assert (spent["training"], spent["lost"]) == (60, 25)


def test_suspending_loses_nothing(world: World) -> None:
    start(world)
    world.wait(60)
    world.apply(**TWO, spec__suspend=True)
    world.settle()
    world.finish_deletions()
    world.settle()
    world.wait(100)
    assert (accounts(world)["training"], accounts(world)["lost"], accounts(world)["suspended"]) == (60, 0, 100)


def test_an_attempt_that_does_nothing_is_stopped_after_its_ranks_were_asked_where_they_are(world: World) -> None:
    start(world, spec__recovery={"hangTimeoutSeconds": 120})
    world.report(epoch=1)
    assert world.settle() == pytest.approx(120)
    world.wait(119)
    world.settle()
    assert world.state() == "Running"
    world.wait(1)
    world.settle()
    assert world.asked_for_stacks == ["10.244.0.5", "10.244.0.5"]
    failure = world.run().status.failure
    assert failure is not None
    assert failure.cause == "Hang"
    assert "spec.recovery.hangTimeoutSeconds" in failure.message
    restart(world)
    assert (world.state(), world.run().status.attempt) == ("Running", 2)


def test_an_attempt_that_reports_is_not_hanging(world: World) -> None:
    start(world, spec__recovery={"hangTimeoutSeconds": 120})
    for epoch in range(1, 5):
        world.report(epoch=epoch)
        world.settle()
        world.wait(100)
    world.settle()
    assert world.state() == "Running"


def test_a_lost_node_is_waited_for_and_named(world: World) -> None:
    start(world)
    world.lose_node(1)
    world.wait(3600)
    world.settle()
    assert (world.state(), world.run().status.attempt) == ("Running", 1)
    assert world.run().status.conditions[0].reason == "WaitingForNode"
    assert "node-1 of worker 1" in world.run().status.conditions[0].message


def test_a_lost_node_is_given_up_after_the_grace_when_it_is_to_be_replaced(world: World) -> None:
    start(world, spec__recovery={"lostNode": "Replace"})
    world.lose_node(1)
    assert world.settle() == pytest.approx(30)
    world.wait(31)
    world.settle()
    world.pods.pop("mnist-1-0")  # the other pod ends when its Job is deleted; the lost one never does
    pause = world.settle()
    world.wait((pause or 0) + 1)
    world.settle()
    world.kubelet()
    world.settle()
    assert (world.state(), world.run().status.attempt, world.run().status.restarts) == ("Running", 2, 0)
    assert history(world) == [(1, 1, "Restarted", "NodeLost")]
    assert "mnist-1-1" in world.pods


def test_an_object_that_is_invalid_ends_the_run_in_the_api_servers_words(world: World) -> None:
    world.failing = {1: InvalidError("spec.template.spec.priorityClassName: no such class")}
    world.apply(**TWO)
    world.settle()
    failure = world.run().status.failure
    assert failure is not None
    assert (world.state(), failure.cause) == ("Failed", "Refused")
    assert "priorityClassName: no such class" in failure.message
    assert history(world) == [(1, 1, "Failed", "Refused")]


def test_an_object_that_is_forbidden_is_said_and_tried_again(world: World) -> None:
    world.failing = {1: ForbiddenError("exceeded quota: team")}
    world.apply(**TWO)
    assert world.settle() == pytest.approx(30)
    assert world.state() == "Starting"
    assert world.run().status.conditions[0].reason == "Forbidden"
    assert "exceeded quota: team" in world.run().status.conditions[0].message
    world.wait(30)
    world.settle()
    assert "Service/mnist-1" in world.kinds()


def test_a_run_is_admitted_when_what_it_names_is_there_and_stays_so_to_its_end(world: World) -> None:
    claim = world.claims.pop("models")
    world.apply(**TWO)
    world.settle()
    assert admitted(world) == ("False", "ClaimNotFound")
    world.claims["models"] = claim
    world.settle()
    assert admitted(world) == ("True", "Admitted")
    world.kubelet()
    world.settle()
    world.succeed()
    world.settle()
    assert admitted(world) == ("True", "Admitted")


@pytest.mark.parametrize(
    "missing",
    [
        {"spec__preset": "missing"},
        {"spec__output": {"uri": "s3://models/digits", "secretName": "missing"}},
        {"spec__output": {"persistentVolumeClaim": {"claimName": "missing"}}},
    ],
    ids=["preset", "Secret", "claim"],
)
def test_time_in_suspension_is_no_time_of_waiting(world: World, missing: dict[str, Any]) -> None:
    wanted = {**TWO, **missing}
    world.apply(**wanted)
    world.settle()
    assert world.state() == "Waiting"
    world.apply(**wanted, spec__suspend=True)
    world.settle()
    world.wait(7 * 86_400)
    world.apply(**wanted)
    world.settle()
    assert world.state() == "Waiting"
    world.wait(600)
    world.settle()
    assert world.state() == "Stalled"


def admitted(world: World) -> tuple[str, str]:
    condition = world.run().status.condition("Admitted")
    assert condition is not None
    return condition.status, condition.reason


def test_the_report_of_a_deleted_run_is_not_taken_for_that_of_its_successor(world: World) -> None:
    start(world)
    world.report(epoch=7)
    world.settle()
    world.delete_run()
    start(world)
    assert (world.run().status.progress, world.run().status.checkpoint) == (None, None)


def test_a_run_is_suspended_when_its_pods_have_gone_and_not_before(world: World) -> None:
    start(world)
    world.apply(**TWO, spec__suspend=True)
    world.settle()
    told = world.run().status.condition("Suspended")
    assert told is not None
    assert (world.state(), told.status) == ("Stopping", "False")
    world.finish_deletions()
    world.settle()
    told = world.run().status.condition("Suspended")
    assert told is not None
    assert (world.state(), told.status) == ("Suspended", "True")
