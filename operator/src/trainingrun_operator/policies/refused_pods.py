"""May the Job's controller make the pods? Quotas, policies and whatever a pod names are asked about when a pod is made.

The refusal is in an Event of the Job only. The controller tries again by itself, at least once a minute.
"""

import re
from decimal import Decimal

from trainingrun.api.quantities import amount
from trainingrun.contract import Cause
from trainingrun_operator.life import ActiveAttempt
from trainingrun_operator.model import Reference
from trainingrun_operator.policies.hindrance import Hindrance, Need, Prospect, shortened

_QUOTA = re.compile(r"exceeded quota: .*requested: (?P<requested>.*), used: .*, limited: (?P<limited>.*)")
_PASSING = ("failed calling webhook", "etcdserver:", "context deadline exceeded", "too many requests")
"""In words that are no answer to what was asked for."""
_OWN_USERS = "unable to validate against any security context constraint"
"""OpenShift's words, whose namespaces have users and groups of their own."""


def refused_pods(life: ActiveAttempt) -> Hindrance | None:
    """What is said of pods that may not be made, while any is missing."""
    job, workers = life.children.job, life.resolved.replicas
    if job is None or len(life.gang.pods) >= workers:
        return None
    words = next((notice.message for notice in life.reports.notices_about(job.uid) if notice.reason == "FailedCreate"), None)
    if words is None:
        return None
    cause, hint, passes = _judged(words, workers=workers)
    alone = Prospect.PASSES if passes else Prospect.STALLS
    return Hindrance(
        need=Need.POD,
        cause=cause,
        message=f"Pods of attempt {life.attempt} may not be made: {shortened(words.removeprefix('Error creating: '))}",
        hint=hint,
        prospect=Prospect.FREES if life.gang.live else alone,
        about=Reference("Job", job.name),
    )


def _judged(words: str, *, workers: int) -> tuple[str, str, bool]:
    """The cause, the way out, and whether it may pass by itself."""
    quota = _QUOTA.search(words)
    if quota is not None:
        misfit = _larger_than_the_quota(quota, workers=workers)
        if misfit is None:
            return Cause.QUOTA_EXCEEDED, "They are made as soon as the quota has room for them.", True
        return Cause.QUOTA_EXCEEDED, f"{misfit}: ask for less in spec.workers, or for a larger quota.", False
    if any(words_of_nobody in words for words_of_nobody in _PASSING):
        return Cause.FAILED_CREATE, "That is no answer; it is tried again at least once a minute.", True
    if _OWN_USERS in words:
        return (
            Cause.FAILED_CREATE,
            "Where namespaces have users of their own, leave spec.workers.securityContext out, and set WORKER_USER=Cluster in "
            "the operator's Deployment; then change spec.rerun.",
            False,
        )
    return (
        Cause.FAILED_CREATE,
        "Make or allow what it names, and they are made within a minute; or change spec.workers together with spec.rerun.",
        False,
    )


def _larger_than_the_quota(quota: re.Match[str], *, workers: int) -> str | None:
    """What all workers together need of a resource of which the quota never has so much."""
    limited = _amounts(quota["limited"])
    for resource, asked in _amounts(quota["requested"]).items():
        needed, limit = asked * workers, limited.get(resource)
        if limit is not None and needed > limit:
            return f"The {workers} workers need {needed:f} of {resource}, of which the quota never has more than {limit:f}"
    return None


def _amounts(text: str) -> dict[str, Decimal]:
    """From `pods=1,requests.cpu=500m`; what is no quantity is left out, as anybody may write an Event."""
    found = {}
    for name, _, value in (part.strip().rpartition("=") for part in text.split(",")):
        try:
            found[name] = amount(value)
        except ValueError:
            continue
    return found
