"""A look at the world between two parts of long work that no steps count."""

import time
from collections.abc import Callable

from trainingrun_trainer.context import Context
from trainingrun_trainer.errors import interrupted

PAUSE_SECONDS = 1.0


def look_around(context: Context) -> None:
    """Renew the report, since a part of the work is done. Raises TrainerError (Interrupted) when told to stop."""
    context.progress.part_done()
    if context.is_interrupted():
        raise interrupted("Told to stop while models were made and measured; what was trained is saved.")


class Seldom:
    """Calls something at most once in `PAUSE_SECONDS`, however often it is called itself: parts may be as small as a sample."""

    def __init__(self, call: Callable[[], None], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._call, self._clock = call, clock
        self._next = clock()

    def __call__(self) -> None:
        """Now, or not."""
        if self._clock() >= self._next:
            self._next = self._clock() + PAUSE_SECONDS
            self._call()
