"""What Argo CD, kstatus and Flux make of a run, asked of their own code, for statuses that were recorded from real runs."""

import copy
from collections.abc import Iterator

import pytest

from tests.gitops.argo_tests import files, health_message
from tests.gitops.judges import Judged, Judges
from tests.gitops.lives import TABLE, Raw, Verdict, conditions_of, life_of, recordings
from tests.gitops.scenarios import LIVES

RECORDED = recordings()
WORDS = {"Progressing", "Suspended", "Healthy", "Degraded"}

each_recording = pytest.mark.parametrize("name", RECORDED)


def verdict(name: str) -> Verdict:
    return TABLE[name.rpartition("-")[2]]


def without(raw: Raw, *path: str) -> Raw:
    """The object without one field."""
    changed = copy.deepcopy(raw)
    parent = changed
    for part in path[:-1]:
        parent = parent[part]
    del parent[path[-1]]
    return changed


def test_every_life_that_can_be_caught_has_been_recorded() -> None:
    assert set(LIVES) <= set(RECORDED)


@each_recording
def test_a_recording_has_the_conditions_of_its_life(name: str) -> None:
    conditions = conditions_of(RECORDED[name])
    assert life_of(RECORDED[name]) == name.rpartition("-")[2]
    assert conditions == verdict(name).conditions


@each_recording
def test_argo_cd_shows_the_health_of_the_life(judged: dict[str, Judged], name: str) -> None:
    assert judged[name].health == verdict(name).argo


@each_recording
def test_argo_cd_shows_why(judged: dict[str, Judged], name: str) -> None:
    assert judged[name].message == health_message(RECORDED[name], life=life_of(RECORDED[name]))


def accepted(raw: Raw) -> tuple[str, dict[str, bool]]:
    """The condition ModelAccepted, and the models that were judged."""
    condition = next(each for each in raw["status"]["conditions"] if each["type"] == "ModelAccepted")
    artifacts = raw["status"]["result"]["artifacts"]
    return condition["status"], {each["name"]: each["accepted"] for each in artifacts if "accepted" in each}


def test_a_model_that_is_not_accepted_is_shown_with_what_it_misses(judged: dict[str, Judged]) -> None:
    assert accepted(RECORDED["too-strict-failed"]) == ("False", {"dense-int8": False})
    found = judged["too-strict-failed"]
    assert (found.health, found.kstatus) == ("Degraded", "Failed")
    assert found.message.startswith("NotAccepted: No model is accepted. dense-int8 has accuracy 0.9")
    assert "below acceptance.minimum 1. dense-int8 has " in found.message
    assert "more than acceptance.maximumGzippedBytes 1000. All artifacts are kept" in found.message


def test_a_model_that_is_accepted_is_a_healthy_run(judged: dict[str, Judged]) -> None:
    assert accepted(RECORDED["shipped-succeeded"]) == ("True", {"pruned-0.8-int8": True})
    found = judged["shipped-succeeded"]
    assert (found.health, found.kstatus, found.flux["completion"]) == ("Healthy", "Current", "Current")


@each_recording
def test_kstatus_agrees(judged: dict[str, Judged], name: str) -> None:
    assert judged[name].kstatus == verdict(name).kstatus


@each_recording
def test_flux_waits_for_the_end_at_the_gate_on_completion(judged: dict[str, Judged], name: str) -> None:
    assert judged[name].flux["completion"] == verdict(name).kstatus


@each_recording
def test_flux_waits_for_the_first_attempt_at_the_gate_on_admission(judged: dict[str, Judged], name: str) -> None:
    assert judged[name].flux["admission"] == verdict(name).admission


def test_a_run_that_nobody_has_looked_at_is_progressing(judges: Judges) -> None:
    new = RECORDED["good-new"]
    objects = {"no status": without(new, "status"), "empty status": {**new, "status": {}}}
    assert {name: found.health for name, found in judges.judge(objects).items()} == dict.fromkeys(objects, "Progressing")


def test_a_status_of_an_earlier_spec_is_not_trusted(judges: Judges) -> None:
    objects = copy.deepcopy(RECORDED)
    for raw in objects.values():
        raw["metadata"]["generation"] += 1
    found = judges.judge(objects).values()
    assert {(each.health, each.kstatus, *each.flux.values()) for each in found} == {("Progressing", *["InProgress"] * 3)}


def test_nothing_is_final_at_the_gate_on_completion_while_the_operator_is_at_work(judges: Judges) -> None:
    objects = {name: copy.deepcopy(RECORDED[name]) for name in ("bad-data-failed", "good-succeeded")}
    for raw in objects.values():
        raw["status"]["conditions"].append({"type": "Reconciling", "status": "True"})
    assert {found.flux["completion"] for found in judges.judge(objects).values()} == {"InProgress"}


@pytest.mark.parametrize(
    ("status", "name"), [("False", "bad-data-failed"), ("True", "good-succeeded"), ("Unknown", "good-training")]
)
def test_what_is_said_of_the_model_changes_nothing_about_the_life(judges: Judges, status: str, name: str) -> None:
    judged = copy.deepcopy(RECORDED[name])
    judged["status"]["conditions"].insert(0, {"type": "ModelAccepted", "status": status, "reason": "NotAccepted"})
    found = judges.judge({name: judged})[name]
    assert (found.health, found.kstatus) == (verdict(name).argo, verdict(name).kstatus)


def test_a_run_that_is_deleted_is_progressing(judges: Judges) -> None:
    gone = copy.deepcopy(RECORDED["good-succeeded"])
    gone["metadata"]["deletionTimestamp"] = gone["metadata"]["creationTimestamp"]
    found = judges.judge({"gone": gone})["gone"]
    assert (found.health, found.message, found.kstatus) == ("Progressing", "Pending deletion", "Terminating")


def test_no_missing_field_is_an_error_for_argo_cd(judges: Judges) -> None:
    objects = {f"{name} without {field}": changed for name, raw in RECORDED.items() for field, changed in mutilated(raw)}
    found = judges.judge(objects)
    assert len(found) > 100
    assert {name: each.health for name, each in found.items() if each.health not in WORDS} == {}


def test_no_missing_field_of_the_status_is_an_error_for_flux(judges: Judges) -> None:
    objects = {
        f"{name} without {field}": without(raw, "status", field) for name, raw in RECORDED.items() for field in raw["status"]
    }
    found = judges.judge(objects)
    assert {name: each.flux for name, each in found.items() if "Error" in str(each.flux)} == {}


def mutilated(raw: Raw) -> Iterator[tuple[str, Raw]]:
    """The object without each of its fields that tools might look at."""
    for field in raw["status"]:
        yield field, without(raw, "status", field)
    yield "generation", without(raw, "metadata", "generation")
    for index, condition in enumerate(raw["status"].get("conditions", [])):
        for field in condition:
            changed = copy.deepcopy(raw)
            del changed["status"]["conditions"][index][field]
            yield f"{field} of {condition['type']}", changed


def test_the_tests_for_argo_cd_itself_are_those_of_the_recordings() -> None:
    assert {path: path.read_text() for path in files(RECORDED)} == files(RECORDED)
