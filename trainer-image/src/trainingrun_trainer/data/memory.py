"""How much memory samples may take."""

import numpy as np

from trainingrun_trainer.context import Context
from trainingrun_trainer.errors import bad_data
from trainingrun_trainer.resources import memory_limit

MEMORY_SHARE = 0.25
"""Part of a container's memory that samples may take; while they become tensors they take up to twice as much."""
_GIBIBYTE = 2**30


def room_for_samples(context: Context) -> float:
    """Bytes that each rank has for samples; the same answer on all of them. All ranks must call this."""
    own = context.settings.memory_limit or memory_limit()
    return float(context.gang.gather(np.array([float(own)])).min()) * MEMORY_SHARE / context.config.processes_per_worker


def require_room(samples_bytes: int, *, room: float, what: str) -> None:
    """Raises TrainerError (bad data) when samples that must be in memory as a whole take more than there is room for."""
    if samples_bytes > room:
        raise bad_data(
            f"{what} takes at least {samples_bytes / _GIBIBYTE:.2f} GiB as numbers, but each rank has "
            f"{room / _GIBIBYTE:.2f} GiB for samples, which is {MEMORY_SHARE:.0%} of its share of the worker's memory.",
            hint="Give workers more memory or fewer processes, leave columns out, or write the samples as TFRecord, which is "
            "read while it is trained on.",
        )
