"""A rank whose checkpoints take some seconds to write, as those of a large network do."""

import os
import sys
import time
from typing import Any

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

from trainingrun_trainer import checkpoint, rank

SECONDS = 4.0

save = checkpoint.save


def save_slowly(state: checkpoint.Checkpoint, **where: Any) -> int:
    """Save, after a while."""
    time.sleep(SECONDS)
    return save(state, **where)


checkpoint.save = save_slowly  # type: ignore[assignment]  # what the test is about

if __name__ == "__main__":
    sys.exit(rank.main())
