"""Is a worker on a node that does not answer (taint unreachable)?

By default the run waits; `lostNode: Replace` starts the next attempt. Replacing gives up what keeps two
attempts apart: the old worker may still run where nobody sees it. It writes under its own attempt's number only, and publishes
nothing once a newer attempt has begun.
"""

from trainingrun.api import Failure, LostNode, StopReason
from trainingrun.contract import Cause
from trainingrun_operator.life import ActiveAttempt
from trainingrun_operator.model import Pod, Reference
from trainingrun_operator.policies.stopping import stop
from trainingrun_operator.reasons import Reason
from trainingrun_operator.step import State, Step


def node_lost(life: ActiveAttempt, pod: Pod) -> Failure:
    """The failure of an attempt whose worker was on a node that does not answer."""
    return Failure(
        cause=Cause.NODE_LOST, attempt=life.attempt, worker=pod.index, node=pod.node or None, message=f"{_where(pod)}."
    )


def _where(pod: Pod) -> str:
    return f"The node {pod.node} of worker {pod.index} does not answer"


def settle_lost_node(life: ActiveAttempt) -> Step | None:
    """Name the node that is waited for, or stop the attempt once the grace of its lost worker is over."""
    if not life.gang.lost:
        return None
    lost = life.gang.lost[0]
    if life.gang.is_given_up(lost):
        return stop(life, reason=StopReason.RESTART, failure=node_lost(life, lost))
    replaces = life.run.spec.recovery.lost_node is LostNode.REPLACE
    what = "the next attempt starts when the pod's grace period is over" if replaces else "waiting until it comes back"
    return Step(
        state=State.RUNNING,
        reason=Reason.WAITING_FOR_NODE,
        message=f"{_where(lost)}; {what}.",
        status=life.status,
        about=Reference("Pod", lost.name),
        requeue_after=max(1.0, life.gang.seconds_of_grace(lost)) if replaces else None,
    )
