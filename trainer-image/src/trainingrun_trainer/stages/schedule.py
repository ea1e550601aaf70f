"""The learning rate of every step. NumPy only.

Warm-up and linear scaling: Goyal et al., "Accurate, Large Minibatch SGD", https://arxiv.org/abs/1706.02677.
Cosine: Loshchilov and Hutter, "SGDR", https://arxiv.org/abs/1608.03983, without restarts.
"""

import math

import numpy as np
from numpy.typing import NDArray

from trainingrun.api import Scaling, Schedule, ScheduleType, Training, number


def scaled_learning_rate(training: Training, *, batches: int) -> float:
    """The learning rate after warm-up, when a step has `batches` batches: the number of ranks, times the passes of each."""
    factor = {Scaling.NONE: 1.0, Scaling.LINEAR: float(batches), Scaling.SQUARE_ROOT: math.sqrt(batches)}
    return number(training.optimizer.learning_rate) * factor[training.schedule.scaling]


def learning_rates(training: Training, *, batches: int, epoch: int, steps: int) -> NDArray[np.float32]:
    """Learning rates of the `steps` steps of an epoch, counted from 0.

    During warm-up the rate rises by the same amount each step, from that of one batch to the scaled one. Then the schedule's
    course begins.
    """
    start, target = number(training.optimizer.learning_rate), scaled_learning_rate(training, batches=batches)
    warmup = training.schedule.warmup_epochs * steps
    position = np.arange(epoch * steps + 1, (epoch + 1) * steps + 1)
    share = np.minimum(1.0, position / warmup) if warmup > 0 else np.ones(steps)
    after = np.maximum(0, position - 1 - warmup)
    course = _course(training.schedule, after=after, steps=steps, total=training.epochs * steps - warmup)
    return ((start + (target - start) * share) * course).astype(np.float32)


def _course(schedule: Schedule, *, after: NDArray[np.int64], steps: int, total: int) -> NDArray[np.float64]:
    """Factors on the learning rate of steps that begin when `after` of the `total` steps after warm-up are done."""
    if schedule.type is ScheduleType.COSINE:
        return 0.5 * (1 + np.cos(math.pi * after / total))
    if schedule.type is ScheduleType.STEP:
        assert schedule.step_epochs is not None, "the API asks for it"
        return number(schedule.step_factor) ** (after // (schedule.step_epochs * steps)).astype(np.float64)
    return np.ones(len(after))
