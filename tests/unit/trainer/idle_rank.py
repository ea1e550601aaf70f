"""A rank that exchanges something, has nothing to exchange for a while, and exchanges again."""

import os
import time

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import horovod.tensorflow as hvd
import numpy as np

from trainingrun_trainer.parallel.horovod import HorovodGang

EXCHANGES = 100
IDLE_SECONDS = 6.0

if __name__ == "__main__":
    gang = HorovodGang()
    for _ in range(EXCHANGES):
        gang.sum(np.ones(1))
    time.sleep(IDLE_SECONDS)
    gang.sum(np.ones(1))
    hvd.shutdown()  # which completes the timeline
