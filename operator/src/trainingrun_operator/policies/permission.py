"""What if the operator is not allowed to look at, or to remove, what it has to? Its manifests are not, or not all, applied.

The run is told which permission is missing, and first waits, as an API server that has just started may err. Its pods go on.
"""

import re
from datetime import datetime

from trainingrun.api import TrainingRun
from trainingrun_operator.changes import changed
from trainingrun_operator.decision import Decision
from trainingrun_operator.life import asks_for_rerun
from trainingrun_operator.pace import Pace
from trainingrun_operator.policies.hindrance import sentences, shortened
from trainingrun_operator.policies.waiting import waiting_since
from trainingrun_operator.reasons import Reason
from trainingrun_operator.status.events import waiting_events
from trainingrun_operator.status.told import told
from trainingrun_operator.step import State

_LACKS = re.compile(r'cannot (?P<verb>\w+) resource "(?P<resource>[^"]+)" in API group "(?P<group>[^"]*)"')
"""In the words of every authorizer of an API server."""


def missing_permission(words: str) -> str | None:
    """The permission that the operator lacks, and the way out; None when a refusal is for something else."""
    lacks = _LACKS.search(words)
    if lacks is None:
        return None
    resource = ".".join(part for part in (lacks["resource"], lacks["group"]) if part)
    manifests = (
        "manifests/components/gang-* for its GANG_SCHEDULER"
        if lacks["resource"] == "podgroups"
        else "its release (manifests/base)"
    )
    return f"The operator lacks the permission to {lacks['verb']} {resource}: apply the manifests of {manifests}."


def without_permission(run: TrainingRun, words: str, *, now: datetime, pace: Pace) -> Decision:
    """Waiting, and after the start time-out Stalled; asked again the less often the longer it takes. `words`: the refusal."""
    if run.status.is_finished and not asks_for_rerun(run):
        return Decision(status=run.status, requeue_after=pace.stalled_look_again_seconds)
    since = waiting_since(run.status, now=now, reason=Reason.FORBIDDEN, subject="")
    waited = (now - since).total_seconds()
    state = State.STALLED if waited >= run.spec.recovery.start_timeout_seconds else State.WAITING
    found = missing_permission(words) or f"The operator is not allowed to look after the run: {shortened(words)}"
    message = sentences(found, "Until then its pods go on, and nobody looks after them.")
    status = told(
        run,
        changed(run.status, waiting_since=since),
        state=state,
        reason=Reason.FORBIDDEN,
        message=message,
        now=now,
    )
    events = waiting_events(run.status, state=state, reason=Reason.FORBIDDEN, message=message)
    seldom = pace.stalled_look_again_seconds
    return Decision(status=status, events=events, requeue_after=min(seldom, max(pace.look_again_seconds, waited)))
