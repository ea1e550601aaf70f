"""Is every value of the spec one that the trainer can use? Only asked before an attempt.

The API server has judged all but values that may be of any kind: `trainingrun.api.mistakes`.
"""

from trainingrun.api.mistakes import mistakes
from trainingrun_operator.life import BetweenAttempts
from trainingrun_operator.policies.waiting import wait_for_user
from trainingrun_operator.reasons import Reason
from trainingrun_operator.resolution.judging import AGAIN
from trainingrun_operator.step import Step


def wait_for_values(life: BetweenAttempts) -> Step | None:
    """Wait until the run says something else: no pod would be of any use."""
    found = " ".join(mistakes(life.run.spec))
    if not found:
        return None
    return wait_for_user(life, reason=Reason.INVALID_VALUE, message=f"{found} Change it {AGAIN}.")
