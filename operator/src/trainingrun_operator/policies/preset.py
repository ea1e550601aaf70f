"""Does the preset that the run names apply to it? Only asked before an attempt; a running one is not judged."""

from trainingrun_operator.life import BetweenAttempts
from trainingrun_operator.model import Reference
from trainingrun_operator.policies.waiting import wait_for_user
from trainingrun_operator.step import Step


def wait_for_preset(life: BetweenAttempts) -> Step | None:
    """Wait for a preset that is missing or overstepped, as for a missing claim: it may be made or changed."""
    if life.obstacle is None:
        return None
    preset = Reference("TrainingPreset", life.run.spec.preset) if life.run.spec.preset is not None else None
    return wait_for_user(life, reason=life.obstacle.reason, message=life.obstacle.message, about=preset)
