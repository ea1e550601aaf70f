"""Events about what a run waits for: one when it begins to wait for something, and one when nobody seems to come.

What a run does by itself the policies tell.
"""

from trainingrun.api import TrainingRun, TrainingRunStatus
from trainingrun_operator import names
from trainingrun_operator.causes import CAUSES
from trainingrun_operator.decision import Event, EventReason, EventType
from trainingrun_operator.model import Reference
from trainingrun_operator.reasons import REASONS, Reason
from trainingrun_operator.step import State

_WORDS = {*CAUSES, *REASONS}
"""Reasons that say what is waited for; with others a run starts or trains."""
_TELLS_ITSELF = (State.STOPPING, State.RESTARTING, State.SUSPENDED, State.SUCCEEDED, State.FAILED)
_PASSES = (Reason.WAIT_FOR_CLEANUP, Reason.TRIGGERED_SCALE_UP, Reason.PULLING)
"""Nobody has to do anything."""


def waiting_events(
    before: TrainingRunStatus, *, state: State, reason: str, message: str, about: Reference | None = None
) -> tuple[Event, ...]:
    """What to tell of a run in this state; nothing when its last status says the same already."""
    if state in _TELLS_ITSELF or reason not in _WORDS:
        return ()
    stalled = before.condition("Stalled")
    known = stalled or before.condition("Reconciling")
    if known is not None and known.reason == reason and (stalled is not None) == (state is State.STALLED):
        return ()
    warns = state is State.STALLED or reason not in _PASSES
    return (
        Event(
            reason,
            message,
            EventType.WARNING if warns else EventType.NORMAL,
            about,
            stalls=state is State.STALLED,
        ),
    )


def with_job(events: tuple[Event, ...], run: TrainingRun, *, attempt: int) -> tuple[Event, ...]:
    """The same, each about the Job of the attempt, unless it is about something else or there has been none."""
    if not attempt:
        return events
    job = Reference("Job", names.child_name(run.metadata.name, attempt))
    return tuple(
        Event(event.reason, event.message, event.type, job)
        if event.related is None and event.reason in list(EventReason)
        else event
        for event in events
    )
