"""Is there a trainer image for the accelerator? The default image trains on CPUs. Only asked before an attempt."""

from trainingrun_operator.life import BetweenAttempts
from trainingrun_operator.policies.waiting import wait_for_user
from trainingrun_operator.reasons import Reason
from trainingrun_operator.step import Step


def wait_for_image(life: BetweenAttempts) -> Step | None:
    """Wait until the run or the operator names an image that can use the run's GPUs or TPU chips."""
    spec, accelerator = life.run.spec, life.run.spec.workers.accelerator_kind
    if accelerator is None:
        return None
    if spec.image is not None or life.config.trainer_image_for(accelerator) is not None:
        return None
    return wait_for_user(
        life,
        reason=Reason.IMAGE_NOT_GIVEN,
        message=f"spec.workers.accelerator asks for a {accelerator}, but the operator has no trainer image for {accelerator}s: "
        f"set spec.image together with a new value of spec.rerun, or let TRAINER_IMAGE_{accelerator} of the operator name one.",
    )
