"""The gang trains: say how far it is. The last rung of the ladder, so it always answers."""

from trainingrun.contract import Stage
from trainingrun_operator.life import Life
from trainingrun_operator.model import Event, EventReason
from trainingrun_operator.step import State, Step


def follow_progress(life: Life) -> Step:
    """Running. Nodes that are lost are named; with `lostNode: Wait`, the only choice so far, the run waits for them."""
    report = life.observed.progress
    stage = report.stage if report is not None and report.attempt == life.attempt else life.status.stage or Stage.TRAINING
    if stage in (Stage.STARTING, Stage.QUEUED):
        stage = Stage.TRAINING
    lost = [pod for pod in life.pods if pod.is_deleting and pod.is_live and pod.disruption == "DeletionByTaintManager"]
    if lost:
        return Step(
            state=State.RUNNING,
            reason="WaitingForNode",
            message=f"The node {lost[0].node} of worker {lost[0].index} does not answer; waiting until it comes back.",
            status=life.status.model_copy(update={"stage": stage}),
        )
    first = life.status.stage in ("", Stage.STARTING)
    return Step(
        state=State.RUNNING,
        reason=stage,
        message=f"Attempt {life.attempt} is {stage.lower()}.",
        status=life.status.model_copy(update={"stage": stage}),
        events=(Event(EventReason.TRAINING_STARTED, f"All workers of attempt {life.attempt} train."),) if first else (),
    )
