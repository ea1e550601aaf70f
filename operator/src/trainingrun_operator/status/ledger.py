"""Where the time of a round goes: every second of its life is in exactly one account.

Seconds are added up when the account changes and never in between, so an idle run is not written.
"""

from collections.abc import Mapping
from datetime import datetime

from trainingrun.api import Account, Ledger, TrainingRunStatus
from trainingrun.contract import Cause, Stage
from trainingrun_operator.changes import changed
from trainingrun_operator.life import Life
from trainingrun_operator.status.accelerators import count_accelerators
from trainingrun_operator.step import State, Step

_ACCOUNTS = {
    State.WAITING: Account.QUEUED,
    State.QUEUED: Account.QUEUED,
    State.STALLED: Account.QUEUED,
    State.STARTING: Account.STARTING,
    State.RESTARTING: Account.LOST,
    State.SUSPENDED: Account.SUSPENDED,
}
_STAGES = {
    Stage.TUNING: Account.TUNING,
    Stage.PRUNING: Account.COMPRESSING,
    Stage.QUANTIZING: Account.COMPRESSING,
    Stage.EVALUATING: Account.EVALUATING,
}
"""Accounts of the trainer's stages; the others count as training."""
_WORK = (Account.TUNING, Account.TRAINING, Account.COMPRESSING, Account.EVALUATING)


def ledger(life: Life, step: Step, status: TrainingRunStatus) -> Ledger:
    """The ledger after a step; `status` is that step's status with its checkpoint and search."""
    return count_accelerators(life, _time(life, step, status))


def opened(now: datetime) -> Ledger:
    """The ledger of a new round."""
    return Ledger(account=Account.QUEUED, since=now.replace(microsecond=0))


def newly_booked(before: TrainingRunStatus, after: TrainingRunStatus, *, now: datetime) -> Mapping[Account, int]:
    """Seconds by account that one status has in its ledger and the one before had not; also at the end of a round.

    What has no seconds is left out. A round that ends while an account is open has all of its time until now in that account.
    """
    known = before.ledger or Ledger()
    if before.round == after.round:
        new = after.ledger or Ledger()
        booked = {account: _booked(new, account) - _booked(known, account) for account in Account}
    else:
        open_since = known.since or now
        booked = {account: int((now - open_since).total_seconds()) for account in Account if account == known.account}
    return {account: seconds for account, seconds in booked.items() if seconds > 0}


def _booked(known: Ledger, account: Account) -> int:
    return int(getattr(known, f"{account.lower()}_seconds"))


def _time(life: Life, step: Step, status: TrainingRunStatus) -> Ledger:
    """The ledger with all time until now in its accounts, if another account goes on from here."""
    now = life.now.replace(microsecond=0)
    known = status.ledger or Ledger(account=Account.QUEUED, since=life.run.metadata.creation_timestamp or now)
    account = _account(step, status, known)
    if known.since is None:
        return changed(known, account=account, since=now)
    if account == known.account:
        return known
    kept, lost = _split(known.account, status, since=known.since, until=now, dies=account == Account.LOST)
    closed = _added(_added(known, known.account, kept), Account.LOST, lost)
    return changed(closed, account=account, since=now if account else None, goodput_percent=_goodput(closed))


def _account(step: Step, status: TrainingRunStatus, known: Ledger) -> str:
    """What time is spent on from now on; empty when the run has ended."""
    if step.state.is_final:
        return ""
    if step.state is State.RUNNING:
        return _of_stage(status.stage)
    if step.state is State.STARTING and _trains(status):
        return _of_stage(status.progress.stage if status.progress is not None else status.stage)
    if step.state is State.STOPPING:
        failure = status.stopping.failure if status.stopping is not None else None
        # What was done for a model that is not accepted is kept: see the result.
        return known.account if failure is None or failure.cause == Cause.NOT_ACCEPTED else Account.LOST
    return _ACCOUNTS[step.state]


def _of_stage(stage: str) -> Account:
    return next((account for known, account in _STAGES.items() if known == stage), Account.TRAINING)


def _trains(status: TrainingRunStatus) -> bool:
    """Whether the attempt has taken its first step: the kubelet may say only seconds later that its pods are ready."""
    return status.timeline is not None and status.timeline.first_step is not None


def _split(account: str, status: TrainingRunStatus, *, since: datetime, until: datetime, dies: bool) -> tuple[int, int]:
    """Seconds of the account that ends, and those of them that were in vain because the attempt died."""
    total = max(0, int((until - since).total_seconds()))
    if not dies or account not in _WORK:
        return total, 0
    saved = _saved(status)
    kept = int((min(saved, until) - since).total_seconds()) if saved is not None and saved > since else 0
    return kept, total - kept


def _saved(status: TrainingRunStatus) -> datetime | None:
    """Until when work is safe: the newest checkpoint, or the end of the newest trial."""
    moments = (
        status.checkpoint.written_at if status.checkpoint is not None else None,
        status.tuning.recorded_at if status.tuning is not None else None,
    )
    return max((moment for moment in moments if moment is not None), default=None)


def _added(known: Ledger, account: str, seconds: int) -> Ledger:
    """The ledger with more seconds in an account; one that only a newer operator knows is left alone."""
    match account:
        case Account.QUEUED:
            return changed(known, queued_seconds=known.queued_seconds + seconds)
        case Account.SUSPENDED:
            return changed(known, suspended_seconds=known.suspended_seconds + seconds)
        case Account.STARTING:
            return changed(known, starting_seconds=known.starting_seconds + seconds)
        case Account.TUNING:
            return changed(known, tuning_seconds=known.tuning_seconds + seconds)
        case Account.TRAINING:
            return changed(known, training_seconds=known.training_seconds + seconds)
        case Account.COMPRESSING:
            return changed(known, compressing_seconds=known.compressing_seconds + seconds)
        case Account.EVALUATING:
            return changed(known, evaluating_seconds=known.evaluating_seconds + seconds)
        case Account.LOST:
            return changed(known, lost_seconds=known.lost_seconds + seconds)
        case _:
            return known


def _goodput(known: Ledger) -> int | None:
    work = known.tuning_seconds + known.training_seconds + known.compressing_seconds + known.evaluating_seconds
    total = work + known.starting_seconds + known.lost_seconds
    return 100 * work // total if total else None
