"""Can the trainer image do what the run asks for? Only asked before an attempt, and only of an image that has spoken before.

What an image speaks nobody can tell before it has run. One that does not know the newest fields says so itself and at once,
before its ranks start; from then on it is not started again for the same.
"""

from trainingrun.contract_version import Need, version_needed
from trainingrun_operator.children.config_map import attempt_config
from trainingrun_operator.life import BetweenAttempts
from trainingrun_operator.policies.creation import what_applies
from trainingrun_operator.policies.waiting import wait_for_user
from trainingrun_operator.reasons import Reason
from trainingrun_operator.step import Step


def wait_for_trainer(life: BetweenAttempts) -> Step | None:
    """Wait until the run names an image that speaks the version of the contract that its fields need, or does without them."""
    trainer = life.status.trainer
    if trainer is None:
        return None
    applies = what_applies(life)
    need = version_needed(attempt_config(life.run, attempt=life.attempt + 1, resolved=applies))
    if applies.image != trainer.image or need.version <= trainer.contract_version:
        return None
    return wait_for_user(
        life,
        reason=Reason.TRAINER_TOO_OLD,
        message=f"The trainer image {trainer.image} speaks version {trainer.contract_version} of the contract with the "
        f"operator, but spec.{need.path} needs version {need.version}: use an image of the operator's release (spec.image, or "
        f"that of its preset), or {_without(need)}, together with a new value of spec.rerun.",
    )


def _without(need: Need) -> str:
    return f"set it to {need.instead}" if need.instead else "remove the field"
