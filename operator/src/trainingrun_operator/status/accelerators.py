"""How long a round has held accelerators: each counts from the moment that its pod is bound to a node until the pod has ended.

Nothing is held while a run is queued, suspended or backing off, and a gang of which one half is placed holds that half. As in
the ledger of time, seconds are added up when the number held changes and never in between.
"""

from datetime import datetime

from trainingrun.api import Ledger, TrainingRunStatus
from trainingrun_operator.changes import changed
from trainingrun_operator.life import Life


def count_accelerators(life: Life, ledger: Ledger) -> Ledger:
    """The ledger with what is held now, and the accelerator-seconds of what was held until now."""
    held, now = _held(life), life.now.replace(microsecond=0)
    if held == ledger.accelerators_held:
        return ledger
    spent = accelerator_seconds(ledger, now=now)
    return changed(ledger, accelerator_seconds=spent, accelerators_held=held, held_since=now if held else None)


def accelerator_seconds(ledger: Ledger, *, now: datetime) -> int:
    """Accelerator-seconds of a round until now."""
    since = ledger.held_since or now
    return ledger.accelerator_seconds + ledger.accelerators_held * max(0, int((now - since).total_seconds()))


def newly_spent(before: TrainingRunStatus, after: TrainingRunStatus, *, now: datetime) -> int:
    """Accelerator-seconds that one status has in its ledger and the one before had not; also at the end of a round."""
    known = before.ledger or Ledger()
    new = after.ledger or Ledger()
    if before.round == after.round:
        return new.accelerator_seconds - known.accelerator_seconds
    return accelerator_seconds(known, now=now) - known.accelerator_seconds


def _held(life: Life) -> int:
    """Accelerators of all pods that are on a node and have not ended; those on a lost node that was given up do not count."""
    resolved = life.status.resolved
    if resolved is None:
        return 0
    bound = sum(1 for pod in life.gang.live if pod.node)
    return bound * (resolved.accelerators // resolved.replicas)
