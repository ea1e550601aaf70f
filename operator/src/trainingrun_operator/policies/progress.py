"""The gang trains: say how far it is. The last policy of its ladder, so it always answers."""

from trainingrun.contract import Stage
from trainingrun_operator.changes import changed
from trainingrun_operator.life import ActiveAttempt
from trainingrun_operator.model import Event, EventReason
from trainingrun_operator.step import State, Step


def follow_progress(life: ActiveAttempt) -> Step:
    """Running; to be looked at again when it would count as hanging."""
    report = life.reports.fresh
    stage = report.stage if report is not None else life.status.stage or Stage.TRAINING
    if stage in (Stage.STARTING, Stage.QUEUED):
        stage = Stage.TRAINING
    first = life.status.stage in ("", Stage.QUEUED, Stage.STARTING)
    return Step(
        state=State.RUNNING,
        reason=stage,
        message=f"Attempt {life.attempt} is {stage.lower()}.",
        status=changed(life.status, stage=stage),
        events=(Event(EventReason.TRAINING_STARTED, f"All workers of attempt {life.attempt} train."),) if first else (),
        requeue_after=life.reports.seconds_until_hang,
    )
