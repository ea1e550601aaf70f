"""What a user can do with a run in Argo CD, and that Argo CD leaves it as the user wanted it."""

import copy
from typing import Any

import pytest
import yaml

from tests.gitops.argo_tests import after, offered
from tests.gitops.judges import Judged, Judges, argo_settings
from tests.gitops.lives import Raw, life_of, recordings
from tools.argo import CUSTOMIZATION

RECORDED = recordings()
DRIFT = "resource.customizations.ignoreDifferences.trainingrun.dev_TrainingRun"

each_recording = pytest.mark.parametrize("name", RECORDED)


def a_run(name: str, **spec: Any) -> Raw:
    """A recorded run with changes to its spec."""
    raw = copy.deepcopy(RECORDED[name])
    raw["spec"] |= spec
    return raw


def in_git(**spec: Any) -> Raw:
    """The manifest of `good` as it is in Git: without what the API server adds."""
    raw = a_run("good-new", **spec)
    metadata = {"name": raw["metadata"]["name"], "namespace": raw["metadata"]["namespace"]}
    return {"apiVersion": raw["apiVersion"], "kind": raw["kind"], "metadata": metadata, "spec": raw["spec"]}


@each_recording
def test_the_actions_are_those_that_make_sense(judged: dict[str, Judged], name: str) -> None:
    assert set(judged[name].actions) == set(offered(life_of(RECORDED[name])))


@each_recording
def test_an_action_changes_its_field_and_nothing_else(judged: dict[str, Judged], name: str) -> None:
    expected = {action: after(action, RECORDED[name]) for action in judged[name].actions}
    assert judged[name].actions == expected


def test_resuming_is_offered_for_what_is_to_be_suspended_even_when_it_has_ended(judges: Judges) -> None:
    ended = judges.judge({"ended": a_run("good-succeeded", suspend=True)})["ended"]
    assert set(ended.actions) == {"resume", "rerun"}


def test_rerunning_twice_asks_for_two_rounds(judges: Judges) -> None:
    first = a_run("good-succeeded")
    second = judges.judge({"run": first})["run"].actions["rerun"]
    second["metadata"]["resourceVersion"] += "1"
    second["status"]["rerun"] = second["spec"]["rerun"]
    third = judges.judge({"run": second})["run"].actions["rerun"]
    assert len({run["spec"].get("rerun", "") for run in (first, second, third)}) == 3


def test_rerunning_is_not_offered_until_the_last_request_has_been_seen(judges: Judges) -> None:
    asked = judges.judge({"run": a_run("good-succeeded", rerun="again")})["run"]
    assert asked.disabled == ("rerun",)


def test_the_settings_hold_the_lua_of_the_files() -> None:
    settings = argo_settings()
    actions = yaml.safe_load(settings["resource.customizations.actions.trainingrun.dev_TrainingRun"])
    inside = {"health": settings["resource.customizations.health.trainingrun.dev_TrainingRun"]}
    inside |= {"discovery": actions["discovery.lua"]} | {each["name"]: each["action.lua"] for each in actions["definitions"]}
    paths = {"health": "health.lua", "discovery": "actions/discovery.lua"}
    paths |= {name: f"actions/{name}/action.lua" for name in ("suspend", "resume", "rerun")}
    assert inside == {name: (CUSTOMIZATION / path).read_text() for name, path in paths.items()}


@pytest.mark.parametrize(
    ("live", "git"),
    [
        ({"suspend": True}, {"suspend": False}),
        ({"suspend": True}, {}),
        ({"rerun": "argo-cd-7"}, {"rerun": ""}),
        ({"rerun": "argo-cd-7"}, {}),
    ],
    ids=["suspended, Git says no", "suspended, Git is silent", "rerun, Git says no", "rerun, Git is silent"],
)
def test_an_action_is_no_drift(judges: Judges, live: Raw, git: Raw) -> None:
    run = a_run("good-training", **live)
    assert not judges.is_out_of_sync(git=in_git(**git), live=run, settings=argo_settings())


def test_without_the_settings_self_heal_would_revert_what_git_denies(judges: Judges) -> None:
    settings = {key: value for key, value in argo_settings().items() if key != DRIFT}
    suspended = a_run("good-training", suspend=True)
    assert judges.is_out_of_sync(git=in_git(suspend=False), live=suspended, settings=settings)


def test_any_other_change_in_git_is_synced(judges: Judges) -> None:
    git = in_git(rerun="more", training={"epochs": 99})
    assert judges.is_out_of_sync(git=git, live=a_run("good-training"), settings=argo_settings())


def test_quantities_that_the_api_server_keeps_as_written_are_no_drift(judges: Judges) -> None:
    assert not judges.is_out_of_sync(git=in_git(), live=a_run("good-training"), settings=argo_settings())
