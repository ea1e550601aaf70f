"""Long work before the training, such as to list a data set, done by all ranks side by side."""

import time
from collections.abc import Iterator

import numpy as np

from trainingrun_trainer.context import Context
from trainingrun_trainer.errors import interrupted

ROUND_SECONDS = 5.0


def together(context: Context, work: Iterator[object]) -> None:
    """Do this rank's work to its end, and wait for the others; what it yields is only a place to pause.

    Progress is reported after every round, in which each rank that is not done yet has worked for `ROUND_SECONDS`: so a rank
    that hangs is seen to. Raises TrainerError (Interrupted) when any rank has been told to stop.
    """
    is_done = False
    while True:
        until = time.monotonic() + ROUND_SECONDS
        while not is_done and time.monotonic() < until:
            is_done = next(work, work) is work
        left, told = context.gang.sum(np.array([float(not is_done), float(context.is_interrupted())]))
        context.progress.part_done()
        if told > 0:
            raise interrupted("Told to stop while the data was read; nothing has been trained yet.")
        if left == 0:
            return
