"""How much of the difference between trials goes with each parameter. Pure.

The measure is the correlation ratio (eta squared) of the trials' ranks: the share of their variance that lies between groups of
trials that are alike in one parameter, adjusted for the number of groups (Kelley's epsilon squared: 0 is what chance gives).
The groups are the categories, or, of a number, up to five of equally many trials, so that a best value in the middle of a
range counts too, which a rank correlation would miss. Ranks, because a trial that diverged must not outweigh all others.
Each parameter is looked at alone: what only two of them do together is not seen.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trainingrun_trainer.report.values import Trial, TrialState

FEWEST_TRIALS = 10
"""Below, nothing can be told from chance."""
_GROUPS = 5


def importances(trials: Sequence[Trial]) -> list[tuple[str, float]]:
    """Names of the parameters and their shares (0 to 1), the largest first; empty with fewer than 10 completed trials.

    Only trials that completed are compared: the value of one that was ended early is of an earlier epoch.
    """
    finished = [trial for trial in trials if trial.state is TrialState.COMPLETE and trial.value is not None]
    if len(finished) < FEWEST_TRIALS:
        return []
    ranks = ranked(np.array([trial.value for trial in finished], dtype=np.float64))
    shared = [name for name in finished[0].parameters if all(name in trial.parameters for trial in finished)]
    shares = [(name, _share(ranks, _groups([trial.parameters[name] for trial in finished]))) for name in shared]
    return sorted(shares, key=lambda share: -share[1])


def ranked(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks from 0; equal values share their mean rank, and NaN is the largest."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return ((ends - counts + ends - 1) / 2)[inverse]


def _groups(values: Sequence[float | str]) -> NDArray[np.int64]:
    """Number of each value's group."""
    if all(isinstance(value, str) for value in values) or len(set(values)) <= _GROUPS:
        return np.unique([str(value) for value in values], return_inverse=True)[1]
    ranks = ranked(np.array([float(value) for value in values]))
    return (ranks * _GROUPS / len(values)).astype(np.int64)


def _share(ranks: NDArray[np.float64], groups: NDArray[np.int64]) -> float:
    """Epsilon squared; 0 when all trials are alike, or no group has two."""
    total = float(((ranks - ranks.mean()) ** 2).sum())
    numbers = np.unique(groups)
    freedom = len(ranks) - len(numbers)
    if total == 0 or freedom == 0:
        return 0.0
    within = sum(float(((ranks[groups == number] - ranks[groups == number].mean()) ** 2).sum()) for number in numbers)
    return max(0.0, 1 - (within / freedom) / (total / (len(ranks) - 1)))
