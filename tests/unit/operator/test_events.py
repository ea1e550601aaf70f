"""What users are told in Events: of everything that happens, of what a run waits for, and not again and again."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.builders import NOON, stamp
from tests.unit.operator.test_kube import Server
from trainingrun.api import TrainingRunStatus
from trainingrun.contract import Cause
from trainingrun_operator.control.telling import QUIET, Telling
from trainingrun_operator.decision import Event, EventReason, EventType
from trainingrun_operator.model import Reference
from trainingrun_operator.reasons import Reason
from trainingrun_operator.status.events import waiting_events
from trainingrun_operator.step import State

RUN = {"metadata": {"namespace": "team", "name": "mnist", "uid": "uid-1"}}


def a_status(kind: str, reason: str) -> TrainingRunStatus:
    condition = {"type": kind, "status": "True", "reason": reason, "lastTransitionTime": stamp(NOON)}
    return TrainingRunStatus.model_validate({"conditions": [condition]})


def told(
    before: TrainingRunStatus, state: State, reason: str, about: Reference | None = None
) -> list[tuple[str, EventType, Reference | None]]:
    events = waiting_events(before, state=state, reason=reason, message="Why.", about=about)
    return [(event.reason, event.type, event.related) for event in events]


@pytest.mark.parametrize("reason", [Cause.UNSCHEDULABLE, Cause.QUOTA_EXCEEDED, Reason.NAME_CONFLICT, Reason.CLAIM_NOT_FOUND])
def test_a_run_that_begins_to_wait_says_for_what(reason: str) -> None:
    pod = Reference("Pod", "mnist-1-0")
    assert told(a_status("Reconciling", "Starting"), State.STARTING, reason, pod) == [(reason, EventType.WARNING, pod)]


def test_a_run_that_has_said_it_says_it_no_more_until_it_stalls() -> None:
    before = a_status("Reconciling", Reason.CLAIM_NOT_FOUND)
    assert told(before, State.WAITING, Reason.CLAIM_NOT_FOUND) == []
    assert told(before, State.STALLED, Reason.CLAIM_NOT_FOUND) == [(Reason.CLAIM_NOT_FOUND, EventType.WARNING, None)]
    (event,) = waiting_events(before, state=State.STALLED, reason=Reason.CLAIM_NOT_FOUND, message="Why.")
    assert event.action == "Stall"
    assert told(a_status("Stalled", Reason.CLAIM_NOT_FOUND), State.STALLED, Reason.CLAIM_NOT_FOUND) == []


@pytest.mark.parametrize("reason", [Reason.PULLING, Reason.TRIGGERED_SCALE_UP, Reason.WAIT_FOR_CLEANUP])
def test_what_passes_by_itself_is_no_warning(reason: str) -> None:
    assert told(TrainingRunStatus(), State.STARTING, reason) == [(reason, EventType.NORMAL, None)]


@pytest.mark.parametrize(("state", "reason"), [(State.STARTING, "Starting"), (State.FAILED, Cause.BAD_DATA)])
def test_what_is_no_wait_is_told_by_its_policy_alone(state: State, reason: str) -> None:
    assert told(TrainingRunStatus(), state, reason) == []


def test_a_wait_that_comes_and_goes_is_told_once_in_a_while() -> None:
    telling, wait = Telling(), Event(Cause.UNSCHEDULABLE, "Worker 0 fits no node.", EventType.WARNING)
    assert telling.is_news("uid-1", wait, now=NOON)
    assert not telling.is_news("uid-1", wait, now=NOON + timedelta(seconds=5))
    assert telling.is_news("uid-1", replace(wait, stalls=True), now=NOON + timedelta(seconds=5))
    assert telling.is_news("uid-2", wait, now=NOON + timedelta(seconds=5))
    assert telling.is_news("uid-1", wait, now=NOON + QUIET)


def test_what_happens_once_is_always_news() -> None:
    telling, event = Telling(), Event(EventReason.SUSPENDED, "Suspended.")
    assert [telling.is_news("uid-1", event, now=NOON) for _ in range(2)] == [True, True]


async def sent(event: Event) -> tuple[str, dict[str, Any]]:
    server = Server()
    await server.cluster().emit(RUN, event)
    ((verb, path, _),) = server.asked
    assert verb == "POST"
    return path, server.sent[0]


async def test_an_event_says_who_has_done_what_about_which_objects() -> None:
    path, body = await sent(
        Event(Cause.CLAIM_NOT_BOUND, "Why.", EventType.WARNING, Reference("PersistentVolumeClaim", "models"))
    )
    assert path == "/apis/events.k8s.io/v1/namespaces/team/events"
    assert (body["reason"], body["action"], body["type"], body["note"]) == ("ClaimNotBound", "Wait", "Warning", "Why.")
    assert body["reportingController"] == "trainingrun.dev/operator"
    assert body["reportingInstance"]
    assert (body["regarding"]["kind"], body["regarding"]["uid"]) == ("TrainingRun", "uid-1")
    assert body["related"] == {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": "team", "name": "models"}


async def test_a_preset_is_in_no_namespace() -> None:
    _, body = await sent(Event(Reason.PRESET_NOT_FOUND, "Why.", related=Reference("TrainingPreset", "small")))
    assert body["related"] == {"apiVersion": "trainingrun.dev/v1alpha1", "kind": "TrainingPreset", "name": "small"}


@pytest.mark.parametrize("message", ["x" * 5000, "é" * 1000, "\U0001f600" * 300, "\ud83d" * 600])
async def test_a_note_is_as_long_as_the_api_server_takes(message: str) -> None:
    _, body = await sent(Event(EventReason.FAILED, message))
    assert 1000 < len(body["note"].encode()) <= 1024 or message.startswith("\ud83d")
    body["note"].encode()


@pytest.mark.parametrize("reason", EventReason)
def test_every_event_says_what_was_done(reason: EventReason) -> None:
    assert 0 < len(Event(reason, "").action) <= 128
