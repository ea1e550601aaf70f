"""The learning rate of every step. NumPy only.

Warm-up and linear scaling: Goyal et al., "Accurate, Large Minibatch SGD", https://arxiv.org/abs/1706.02677.
"""

import math

import numpy as np
from numpy.typing import NDArray

from trainingrun.api import Scaling, Training, number


def scaled_learning_rate(training: Training, *, size: int) -> float:
    """The learning rate after warm-up, for a gang of `size` ranks."""
    factor = {Scaling.NONE: 1.0, Scaling.LINEAR: float(size), Scaling.SQUARE_ROOT: math.sqrt(size)}
    return number(training.optimizer.learning_rate) * factor[training.schedule.scaling]


def learning_rates(training: Training, *, size: int, epoch: int, steps: int) -> NDArray[np.float32]:
    """Learning rates of the `steps` steps of an epoch, counted from 0.

    During warm-up the rate rises by the same amount each step, from that of one rank to the scaled one.
    """
    start, target = number(training.optimizer.learning_rate), scaled_learning_rate(training, size=size)
    warmup = training.schedule.warmup_epochs * steps
    position = np.arange(epoch * steps + 1, (epoch + 1) * steps + 1)
    share = np.minimum(1.0, position / warmup) if warmup > 0 else np.ones(steps)
    return (start + (target - start) * share).astype(np.float32)
