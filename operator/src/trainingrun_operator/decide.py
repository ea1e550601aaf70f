"""What to do next about one run: a ladder of questions for each phase. Pure, total and level-triggered.

It looks only at what is, never at what happened, so that any history that leads to the same world leads to the same
decision, and a crash between any two writes changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, TypeVar

from trainingrun.api import TrainingRun, TrainingRunStatus
from trainingrun.api.base import to_wire
from trainingrun_operator import bounds
from trainingrun_operator.config import OperatorConfig
from trainingrun_operator.decision import Decision
from trainingrun_operator.life import ActiveAttempt, BetweenAttempts, Life, Phase, StoppingAttempt, phase_of
from trainingrun_operator.model import Observed, Refusal
from trainingrun_operator.policies.access import wait_for_access
from trainingrun_operator.policies.claims import wait_for_claims
from trainingrun_operator.policies.completion import complete
from trainingrun_operator.policies.creation import back_off, create_children, start_attempt
from trainingrun_operator.policies.deadline import fail_at_deadline, stop_at_deadline
from trainingrun_operator.policies.defect import stalled_by_defect
from trainingrun_operator.policies.failure import end_with_verdict, recover_from_failure
from trainingrun_operator.policies.finished import keep_result
from trainingrun_operator.policies.freeing import freeing
from trainingrun_operator.policies.hanging import stop_hanging
from trainingrun_operator.policies.image import wait_for_image
from trainingrun_operator.policies.lost_node import settle_lost_node
from trainingrun_operator.policies.ownership import wait_for_names, wait_for_names_when_idle
from trainingrun_operator.policies.preset import wait_for_preset
from trainingrun_operator.policies.progress import follow_progress
from trainingrun_operator.policies.queue import wait_in_queue
from trainingrun_operator.policies.readiness import wait_until_ready
from trainingrun_operator.policies.refusal import refused, without
from trainingrun_operator.policies.rerun import rerun, rerun_instead
from trainingrun_operator.policies.stopping import carry_out_stopping
from trainingrun_operator.policies.suspension import stay_suspended, suspend
from trainingrun_operator.policies.trainer import wait_for_trainer
from trainingrun_operator.policies.values import wait_for_values
from trainingrun_operator.status.finish import finish
from trainingrun_operator.step import Step

View = TypeVar("View", bound=Life)


@dataclass(frozen=True)
class Ladder(Generic[View]):
    """The questions of a phase in their order: the first policy that applies answers, and the last one always does."""

    policies: tuple[Callable[[View], Step | None], ...]
    last: Callable[[View], Step]

    def answer(self, life: View) -> Step:
        """What to do about a run in this phase."""
        answers = (policy(life) for policy in self.policies)
        return next((step for step in answers if step is not None), None) or self.last(life)


_BEFORE: Ladder[BetweenAttempts] = Ladder(
    policies=(
        rerun,
        wait_for_names,
        fail_at_deadline,
        stay_suspended,
        wait_for_preset,
        wait_for_values,
        wait_for_claims,
        wait_for_access,
        wait_for_image,
        wait_for_trainer,
        back_off,
    ),
    last=start_attempt,
)
_OF_THE_GANG: Ladder[ActiveAttempt] = Ladder(
    policies=(
        settle_lost_node,
        wait_until_ready,
        stop_hanging,
    ),
    last=follow_progress,
)
_DURING: Ladder[ActiveAttempt] = Ladder(
    policies=(
        rerun,
        # What has ended has: neither a deadline nor a suspension comes in between.
        complete,
        end_with_verdict,
        stop_at_deadline,
        suspend,
        # What a preempted gang leaves behind is no failure, and a Job that is gone is one: it is not made anew.
        wait_in_queue,
        recover_from_failure,
        create_children,
    ),
    last=_OF_THE_GANG.answer,
)
_STOPPING: Ladder[StoppingAttempt] = Ladder(
    policies=(
        rerun_instead,
        wait_for_names_when_idle,
    ),
    last=carry_out_stopping,
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
    life = phase_of(run, observed, now=now, config=config)
    if run.status.is_finished and not life.wants_rerun:
        return keep_result(life)
    return finish(life, freeing(life, _next_step(life, refusal)))


def _next_step(life: Phase, refusal: Refusal | None) -> Step:
    match life:
        case BetweenAttempts():
            return _BEFORE.answer(life)
        case StoppingAttempt():
            return _STOPPING.answer(life)
        case ActiveAttempt() if refusal is not None:
            return refused(life, refusal) or without(life, _OF_THE_GANG.answer(life), refusal)
        case ActiveAttempt():
            return _DURING.answer(life)
