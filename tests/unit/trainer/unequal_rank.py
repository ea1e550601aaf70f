"""A rank that has nothing to do; that of worker 1 takes longer for it, and leaves a file when it ends."""

import os
import time
from pathlib import Path

from trainingrun_trainer import messages

if __name__ == "__main__":
    messages.Reporter.from_environment().send(messages.ready())
    if os.environ["JOB_COMPLETION_INDEX"] == "1":
        time.sleep(1.5)
        (Path(os.environ["TRAININGRUN_OUTPUT_MOUNT"]).parent / "ended").touch()
