"""From a policy's answer to a Decision: everything in the status that follows from something else is derived here."""

from trainingrun.api import Cleanup, TrainingRunStatus
from trainingrun.contract import Stage
from trainingrun_operator.changes import changed
from trainingrun_operator.decision import Decision, Deletion, Event
from trainingrun_operator.life import Life
from trainingrun_operator.status.clock import clock
from trainingrun_operator.status.columns import columns
from trainingrun_operator.status.conditions import conditions
from trainingrun_operator.status.events import waiting_events, with_job
from trainingrun_operator.status.ledger import ledger
from trainingrun_operator.status.measurements import checkpoint, choices, progress, timeline, trainer, tuning
from trainingrun_operator.step import State, Step, deletions


def finish(life: Life, step: Step) -> Decision:
    """The decision of a step, with its derived status and the nearest moment to look again.

    The ledger goes by the stage and checkpoint that were measured just now, conditions and columns by all of that.
    """
    status = step.status
    if step.status.resolved is not None and life.status.resolved is not None:
        status = _measured(life, step, status)
    status = changed(
        status,
        observed_generation=life.run.metadata.generation,
        rerun=life.seen_rerun(status),
        waiting_since=step.waiting_since,
        stage=step.state.stage or status.stage or Stage.QUEUED,
        clock=clock(life, step),
        cleanup=Cleanup(attempt=life.attempt) if step.state.is_final and life.leaves_something else None,
    )
    status = changed(status, ledger=ledger(life, step, status))
    status = changed(status, conditions=conditions(life, step, status), columns=columns(life, step, status))
    return Decision(
        status=status,
        create=step.create,
        delete=tuple(dict.fromkeys((*step.delete, *_late(life, status)))),
        events=with_job(step.events, life.run, attempt=status.attempt) or _waiting(life, step),
        stacks_of=step.stacks_of,
        requeue_after=_nearest(life, step, status),
    )


def _waiting(life: Life, step: Step) -> tuple[Event, ...]:
    return waiting_events(life.status, state=step.state, reason=step.reason, message=step.message, about=step.about)


def _measured(life: Life, step: Step, status: TrainingRunStatus) -> TrainingRunStatus:
    """With what pods and trainer say. While training goes on, checkpoint and search are written together with the
    progress only.
    """
    if not step.state.is_final:
        status = changed(status, progress=progress(life, status))
    if step.state is not State.RUNNING or status.progress != life.status.progress:
        status = changed(status, checkpoint=checkpoint(life, status), tuning=tuning(life, status))
    return changed(status, timeline=timeline(life, status), choices=choices(life, status), trainer=trainer(life, status))


def _late(life: Life, status: TrainingRunStatus) -> tuple[Deletion, ...]:
    """What a leader that was held up has made of an earlier attempt, after that was over: its pods would be a second gang."""
    return deletions(life.children.leftovers) if status.resolved is not None and status.attempt == life.attempt else ()


def _nearest(life: Life, step: Step, status: TrainingRunStatus) -> float | None:
    """Seconds until the step's own wish or the run's deadline, whichever is first."""
    moments = [] if step.requeue_after is None else [step.requeue_after]
    limit = life.run.spec.active_deadline_seconds
    if limit is not None and step.status.clock is not None and step.status.clock.running_since and not step.state.is_final:
        moments.append(max(1.0, limit - life.clocks.active_seconds))
    if status.cleanup is not None:
        moments.append(0.0)
    return min(moments, default=None)
