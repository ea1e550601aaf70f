"""What a change of a run's status counts for. Whoever has written the status counts, once, so each change is counted once.

An operator that dies between the two counts it never: its counters begin at zero with the next process anyway.
"""

from datetime import datetime

from trainingrun.api import Account, TrainingRunStatus
from trainingrun.contract import Cause
from trainingrun_operator.metrics.catalog import OTHER, Metrics, Outcome
from trainingrun_operator.metrics.fleet import known_accelerator
from trainingrun_operator.status.accelerators import newly_spent
from trainingrun_operator.status.ledger import newly_booked


def count(metrics: Metrics, before: TrainingRunStatus, after: TrainingRunStatus, *, namespace: str, now: datetime) -> None:
    """Count what one status says and the one before did not."""
    _count_time(metrics, before, after, namespace=namespace, now=now)
    _count_end(metrics, before, after, namespace=namespace)
    if after.restarts > before.restarts and after.failure is not None:
        metrics.restarts.labels(namespace, _known(after.failure.cause)).inc()
    first_step = after.timeline.first_step if after.timeline is not None else None
    known = before.timeline.first_step if before.timeline is not None else None
    if first_step is not None and known is None and after.start_time is not None and after.attempt == 1:
        metrics.startup.observe(_seconds(after.start_time, first_step))


def _count_time(
    metrics: Metrics, before: TrainingRunStatus, after: TrainingRunStatus, *, namespace: str, now: datetime
) -> None:
    resolved = before.resolved or after.resolved
    if resolved is not None and resolved.accelerator is not None:
        spent = newly_spent(before, after, now=now)
        metrics.accelerator_seconds.labels(namespace, known_accelerator(resolved.accelerator)).inc(max(0, spent))
    booked = newly_booked(before, after, now=now)
    for account, seconds in booked.items():
        if account is Account.LOST:
            metrics.lost_seconds.labels(namespace, _why(after)).inc(seconds)
        else:
            metrics.stage_seconds.labels(namespace, account.value).inc(seconds)
    waited = before.ledger is None or before.ledger.account == Account.QUEUED
    if waited and after.ledger is not None and after.ledger.account == Account.STARTING:
        metrics.waited.observe(booked.get(Account.QUEUED, 0))


def _count_end(metrics: Metrics, before: TrainingRunStatus, after: TrainingRunStatus, *, namespace: str) -> None:
    if not after.is_finished or before.is_finished:
        return
    succeeded = after.condition("Succeeded")
    outcome = Outcome.SUCCEEDED if succeeded is not None and succeeded.status == "True" else Outcome.FAILED
    metrics.finished.labels(namespace, outcome).inc()
    if outcome is Outcome.FAILED:
        metrics.failures.labels(namespace, _why(after)).inc()
    if after.start_time is not None and after.completion_time is not None:
        metrics.duration.labels(outcome).observe(_seconds(after.start_time, after.completion_time))


def _why(status: TrainingRunStatus) -> str:
    """The cause of what is lost, as a label."""
    failure = (status.stopping.failure if status.stopping is not None else None) or status.failure
    return _known(failure.cause) if failure is not None else OTHER


def _known(cause: str) -> str:
    """A cause as a label: trainers may name others than those of the contract, and there must not be ever more of them."""
    return cause if cause in list(Cause) else OTHER


def _seconds(start: datetime, end: datetime) -> float:
    """Clocks of nodes may be behind the operator's; what they are ahead is not in the status."""
    return max(0.0, (end - start).total_seconds())
