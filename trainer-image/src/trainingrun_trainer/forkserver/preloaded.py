"""All that a rank imports, for a fork server: TensorFlow with tf_keras, tfmot, Horovod and the pipeline."""

import os

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf
from tensorflow.python.eager import context

from trainingrun_trainer import pipeline, progress
from trainingrun_trainer.agent.mpi import slots
from trainingrun_trainer.parallel import horovod

# As Python does for `random`: otherwise all children would draw the same numbers.
os.register_at_fork(after_in_child=np.random.seed)

__all__ = ["horovod", "obstacle", "pipeline", "progress", "slots", "tf"]


def obstacle() -> str | None:
    """Why TensorFlow cannot be forked any more, in a sentence: a child would wait for threads that it does not have."""
    if context.context()._initialized:
        return "An operation of TensorFlow has already run."
    return None
