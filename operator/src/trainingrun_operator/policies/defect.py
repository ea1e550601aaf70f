"""What is done about a run that the policies cannot deal with: say so, and let its owner end it all the same.

Nothing here rests on what pods say or on what the status holds beyond plain fields, as one of them is what went wrong.
"""

from datetime import datetime

from trainingrun.api import TrainingRun, TrainingRunStatus
from trainingrun_operator.changes import changed
from trainingrun_operator.decision import Decision
from trainingrun_operator.life import asks_for_rerun
from trainingrun_operator.model import Observed
from trainingrun_operator.pace import Pace
from trainingrun_operator.reasons import Reason
from trainingrun_operator.status.told import told
from trainingrun_operator.step import State, deletions


def stalled_by_defect(run: TrainingRun, observed: Observed, defect: Exception, *, now: datetime, pace: Pace) -> Decision:
    """Stalled. With spec.suspend, or a new spec.rerun, all objects of the run go, and then what it knew of its attempt."""
    if run.status.is_finished and not asks_for_rerun(run):
        return Decision(status=run.status, defect=defect)
    asked = "spec.suspend" if run.spec.suspend else "spec.rerun" if asks_for_rerun(run) else ""
    mine = [child for child in observed.children if child.owner_uid == run.metadata.uid]
    message = f"A defect of the operator, not of the run: {type(defect).__name__}: {defect}."
    if asked and mine:
        message += f" The objects of the run are being removed, as {asked} asks."
    elif asked == "spec.rerun":
        return Decision(status=_another_round(run), requeue_after=0.0, defect=defect)
    else:
        message += " Please report it with the operator's log. To stop its pods set spec.suspend; to begin anew, spec.rerun."
    status = run.status if mine or not asked else _without_attempt(run.status)
    return Decision(
        status=stalled(run, status, reason=Reason.DEFECT, message=message, now=now),
        delete=deletions(mine) if asked else (),
        requeue_after=pace.look_again_seconds if asked and mine else pace.stalled_look_again_seconds,
        defect=defect,
    )


def stalled(run: TrainingRun, status: TrainingRunStatus, *, reason: str, message: str, now: datetime) -> TrainingRunStatus:
    """This status, which the API server has accepted before, with the condition Stalled in the place of Reconciling."""
    return told(run, status, state=State.STALLED, reason=reason, message=message, now=now)


def _without_attempt(status: TrainingRunStatus) -> TrainingRunStatus:
    """Its attempt is over, and nothing of it is left."""
    return changed(status, resolved=None, stopping=None, timeline=None, progress=None, retry_at=None)


def _another_round(run: TrainingRun) -> TrainingRunStatus:
    """As if it had just been created; attempts and rounds go on counting, so that no name is used twice."""
    known = run.status
    return TrainingRunStatus(
        observed_generation=run.metadata.generation, round=known.round + 1, attempt=known.attempt, rerun=run.spec.rerun
    )
