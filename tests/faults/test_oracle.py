"""The oracles themselves: they see what differs, and are blind for what always does. No cluster is needed."""

import pytest

from tests.faults.faults import Kind
from tests.faults.oracle import Outcome, differences, flat
from tests.faults.proxy import Write

POST = Write("POST", "/apis/batch/v1/namespaces/team/jobs", {"metadata": {"name": "sample-1"}}, 201)


def a_deletion(uid: str) -> Write:
    return Write("DELETE", f"{POST.path}/sample-1", {"preconditions": {"uid": uid}}, 200)


def an_outcome(*writes: Write, **status: object) -> Outcome:
    return Outcome(end=flat({"run": {"status": status}}, names={}), writes=writes, struck=(Kind.KILL_AFTER,))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"at": "2026-11-25T08:00:00Z"}, {"at": "2026-11-25T08:00:01Z"}),
        ({"uid": "a"}, {"uid": "b"}),
        ({"message": "again in 9.5 s"}, {"message": "again in 12 s"}),
        ({"address": "10.96.0.9"}, {"address": "10.96.0.10"}),
        ({"activeSeconds": 3}, {"activeSeconds": 4}),
        ({"name": "sample-1-0a1b2c3d"}, {"name": "sample-1-4e5f6a7b"}),
    ],
    ids=["moments", "identifiers", "durations", "addresses", "seconds", "identifiers in names"],
)
def test_what_always_differs_is_masked(one: dict[str, object], other: dict[str, object]) -> None:
    assert differences([an_outcome(**one)], an_outcome(**other)) == []


def test_another_cause_is_seen_and_a_missing_field_too() -> None:
    known = [an_outcome(failure={"cause": "OOMKilled"}, restarts=1)] * 2
    assert len(differences(known, an_outcome(failure={"cause": "RankFailed"}, restarts=1))) == 1
    assert len(differences(known, an_outcome(failure={"cause": "OOMKilled"}))) == 1


def test_what_differs_between_runs_without_faults_does_not_count() -> None:
    assert differences([an_outcome(seen=1), an_outcome(seen=2)], an_outcome(seen=3)) == []


def test_a_second_creation_is_seen() -> None:
    assert len(differences([an_outcome(POST)] * 2, an_outcome(POST, POST))) == 1
    assert len(differences([an_outcome(POST)] * 2, an_outcome())) == 1


def test_a_second_deletion_is_seen_unless_it_is_of_the_same_object() -> None:
    one, again, other = (a_deletion(uid) for uid in ("a", "a", "b"))
    assert differences([an_outcome(one)] * 2, an_outcome(one, again)) == []
    assert len(differences([an_outcome(one)] * 2, an_outcome(one, other))) == 1
    assert len(differences([an_outcome(one)] * 2, an_outcome())) == 1


def test_only_the_write_that_a_fault_has_struck_may_be_done_again() -> None:
    struck = Write(POST.verb, POST.path, POST.body, 201, is_struck=True)
    assert differences([an_outcome(POST)] * 2, an_outcome(struck, POST)) == []
    assert len(differences([an_outcome(POST)] * 2, an_outcome(struck, POST, POST))) == 1
