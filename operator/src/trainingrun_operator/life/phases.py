"""The phase that a run is in, as a type: what is there in one phase and not in another is a field of it, never None.

`status.stopping` and `status.resolved` alone say which phase it is. Both are written before anything is done about them, so
that whoever reads them after a crash is in the phase of the operator that wrote them.
"""

from dataclasses import KW_ONLY, dataclass
from datetime import datetime

from trainingrun.api import Resolved, Stopping, TrainingRun
from trainingrun_operator.config import OperatorConfig
from trainingrun_operator.life.life import Life
from trainingrun_operator.model import Observed, Obstacle
from trainingrun_operator.resolution import resolve


@dataclass(frozen=True)
class BetweenAttempts(Life):
    """No attempt is active: before the first, in the back-off before the next, or while the run is suspended."""

    _: KW_ONLY
    obstacle: Obstacle | None
    """Why the preset that the run names cannot apply to its next attempt."""


@dataclass(frozen=True)
class ActiveAttempt(Life):
    """An attempt is active, from the moment its number is written."""

    _: KW_ONLY
    resolved: Resolved
    """What applies to it, as it was written down when it began."""


@dataclass(frozen=True)
class StoppingAttempt(Life):
    """The intent to stop the attempt is written down: its pods go, and then what was intended is done.

    A finished run that is to be run again has no active attempt, but may have pods and objects which go first, too.
    """

    _: KW_ONLY
    intent: Stopping


Phase = BetweenAttempts | ActiveAttempt | StoppingAttempt


def phase_of(run: TrainingRun, observed: Observed, *, now: datetime, config: OperatorConfig) -> Phase:
    """The phase of a run as it is stored, with the values of its preset."""
    found, status = resolve(run, observed.preset), run.status
    if status.stopping is not None:
        return StoppingAttempt(found.run, observed, now, config, found.preset, intent=status.stopping)
    if status.resolved is not None:
        return ActiveAttempt(found.run, observed, now, config, found.preset, resolved=status.resolved)
    return BetweenAttempts(found.run, observed, now, config, found.preset, obstacle=found.obstacle)
