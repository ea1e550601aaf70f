"""The gang trains: say how far it is. The last policy of its ladder, so it always answers."""

from trainingrun.contract import PROGRESS_PORT, Stage
from trainingrun_operator.changes import changed
from trainingrun_operator.decision import Event, EventReason
from trainingrun_operator.life import ActiveAttempt
from trainingrun_operator.model import Pod
from trainingrun_operator.step import State, Step


def follow_progress(life: ActiveAttempt) -> Step:
    """Running; to be looked at again when it may count as hanging, or as unheard."""
    report = life.reports.fresh
    stage = report.stage if report is not None else life.status.stage or Stage.TRAINING
    if stage in (Stage.STARTING, Stage.QUEUED):
        stage = Stage.TRAINING
    silent = life.reports.unheard
    first = life.status.stage in ("", Stage.QUEUED, Stage.STARTING)
    return Step(
        state=State.RUNNING,
        reason=stage,
        message=f"Attempt {life.attempt} is {stage.lower()}.{_unheard(silent) if silent is not None else ''}",
        status=changed(life.status, stage=stage),
        events=(Event(EventReason.TRAINING_STARTED, f"All workers of attempt {life.attempt} train."),) if first else (),
        requeue_after=_again(life),
    )


def _again(life: ActiveAttempt) -> float:
    """Seconds until it counts as hanging, or while nobody can tell, until it may count as unheard."""
    left = life.reports.seconds_until_hang
    return life.pace.silence_seconds if left is None else left


def _unheard(worker: Pod) -> str:
    return (
        f" Worker {worker.index} is ready, but the operator gets no progress from it at {worker.ip}, port {PROGRESS_PORT}: how "
        "far it is, and whether it hangs, is not known. See that the network policies of both namespaces let the operator in."
    )
