"""What to do next about one run: a ladder of questions, the first that applies answers. Pure, total and level-triggered.

It looks only at what is, never at what happened, so that any history that leads to the same world leads to the same
decision, and a crash between any two writes changes nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from trainingrun.api import TrainingRun, TrainingRunStatus
from trainingrun.api.base import to_wire
from trainingrun_operator import bounds
from trainingrun_operator.life import Life
from trainingrun_operator.model import Decision, Observed, OperatorConfig, Refusal
from trainingrun_operator.policies.access import wait_for_access
from trainingrun_operator.policies.claims import wait_for_claims
from trainingrun_operator.policies.completion import complete
from trainingrun_operator.policies.creation import create_children, start_attempt
from trainingrun_operator.policies.deadline import enforce_deadline
from trainingrun_operator.policies.defect import stalled_by_defect
from trainingrun_operator.policies.failure import end_with_verdict, recover_from_failure
from trainingrun_operator.policies.finished import keep_result
from trainingrun_operator.policies.hanging import stop_hanging
from trainingrun_operator.policies.image import wait_for_image
from trainingrun_operator.policies.lost_node import settle_lost_node
from trainingrun_operator.policies.ownership import wait_for_names
from trainingrun_operator.policies.preset import wait_for_preset
from trainingrun_operator.policies.progress import follow_progress
from trainingrun_operator.policies.queue import wait_in_queue
from trainingrun_operator.policies.readiness import wait_until_ready
from trainingrun_operator.policies.refusal import refused, without
from trainingrun_operator.policies.rerun import rerun
from trainingrun_operator.policies.stopping import carry_out_stopping
from trainingrun_operator.policies.suspension import suspend
from trainingrun_operator.policies.trainer import wait_for_trainer
from trainingrun_operator.status.finish import finish
from trainingrun_operator.step import Step

_BEFORE_THE_GANG = (
    rerun,
    wait_for_names,
    carry_out_stopping,
    complete,
    end_with_verdict,
    enforce_deadline,
    suspend,
    wait_for_preset,
    wait_for_claims,
    wait_for_access,
    wait_for_image,
    wait_for_trainer,
    start_attempt,
    wait_in_queue,
    recover_from_failure,
    create_children,
)
_OF_THE_GANG = (
    settle_lost_node,
    wait_until_ready,
    stop_hanging,
    follow_progress,
)


def decide(
    run: TrainingRun, observed: Observed, *, now: datetime, config: OperatorConfig, refusal: Refusal | None = None
) -> Decision:
    """The next actions on a run, and its status. Deciding again on the result gives nothing to do.

    `refusal` is what became of an object that the decision without it wanted. Never raises: whatever goes wrong in here becomes
    a condition of the run, and `defect` of the decision.
    """
    try:
        decision = _decide(run, observed, now=now, config=config, refusal=refusal)
        status = bounds.fit(TrainingRunStatus, to_wire(decision.status))
        if status is None:
            raise ValueError("the status does not follow its own schema")
        return replace(decision, status=status)
    except Exception as defect:
        return stalled_by_defect(run, observed, defect, now=now, pace=config.pace)


def _decide(
    run: TrainingRun, observed: Observed, *, now: datetime, config: OperatorConfig, refusal: Refusal | None
) -> Decision:
    if run.metadata.deletion_timestamp is not None:
        return Decision(status=run.status)  # owner references do the work, also when no operator runs
    life = Life.of(run, observed, now=now, config=config)
    if run.status.is_finished and not life.wants_rerun:
        return keep_result(life)
    if refusal is None:
        return finish(life, _first(life, (*_BEFORE_THE_GANG, *_OF_THE_GANG)))
    step = refused(life, refusal)
    return finish(life, step if step is not None else without(life, _first(life, _OF_THE_GANG), refusal))


def _first(life: Life, ladder: Sequence[Callable[[Life], Step | None]]) -> Step:
    return next(step for policy in ladder if (step := policy(life)) is not None)
