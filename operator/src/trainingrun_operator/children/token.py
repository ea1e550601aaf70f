"""The secret that the pods of one attempt share: with it their agents believe each other's keys."""

import hashlib
import hmac

from trainingrun.api import TrainingRun


def attempt_token(run: TrainingRun, *, attempt: int, seed: bytes) -> str:
    """Derived from the operator's random seed, so that nobody can tell it from what is public.

    It is written into the Job alone. Another operator would derive another one, which is as good: the Job is created once.
    """
    return hmac.new(seed, f"{run.metadata.uid}/{attempt}".encode(), hashlib.sha256).hexdigest()
