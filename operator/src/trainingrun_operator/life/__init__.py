"""One look at a run: what was asked for, what there is, and when; and the phase that it finds the run in."""

from trainingrun_operator.life.life import Life, asks_for_rerun
from trainingrun_operator.life.phases import ActiveAttempt, BetweenAttempts, Phase, StoppingAttempt, phase_of

__all__ = [
    "ActiveAttempt",
    "BetweenAttempts",
    "Life",
    "Phase",
    "StoppingAttempt",
    "asks_for_rerun",
    "phase_of",
]
