"""The learning rate of every step of a training that many ranks share. NumPy only.

Linear scaling and warm-up: Goyal et al., "Accurate, Large Minibatch SGD", https://arxiv.org/abs/1706.02677. That is a rule for
SGD; optimizers that divide a gradient by its own size scale by the square root: Malladi et al., "On the SDEs and Scaling Rules
for Adaptive Gradient Algorithms", https://arxiv.org/abs/2205.10287.
Cosine: Loshchilov and Hutter, "SGDR", https://arxiv.org/abs/1608.03983, without restarts.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainingrun.api import OptimizerName, Scaling, Schedule, ScheduleType, Training, number

LEAST_STEPS = 32
"""Linear scaling takes for granted that weights change little in the steps that one larger step replaces. Beyond the batches
that leave an epoch so many steps `Auto` goes on with the square root: with 8 of them 16 ranks destroyed a CNN."""
WARMUP_FACTOR = 2.0
"""A rate that grows by more than this is risen to, unless told otherwise."""
WARMUP_EPOCHS, WARMUP_SHARE = 5, 0.1
"""So many epochs, as Goyal et al. take, but of a short training no more than this part of its steps."""
FEWEST_WARMUP_STEPS = 10
"""As long as that is not more than half of the steps: moments of gradients that have seen less say nothing."""
GENTLE_EPOCHS, GENTLE_SHARE = 1, 0.05
"""The same of fine-tuning, which rises from 0 to any rate: it begins with fresh moments, on weights that are good."""


def is_adaptive(training: Training) -> bool:
    """Whether the optimizer normalises its steps by the gradients that it has seen."""
    return training.optimizer.name is not OptimizerName.SGD


def scaling_of(training: Training) -> Scaling:
    """The rule that applies: what `Auto` stands for with this optimizer."""
    if training.schedule.scaling is not Scaling.AUTO:
        return training.schedule.scaling
    return Scaling.SQUARE_ROOT if is_adaptive(training) else Scaling.LINEAR


def factor(training: Training, *, batches: int, steps: int) -> float:
    """What the rule makes of the rate of one batch when a step has `batches`: the number of ranks, times the passes of each.

    An epoch has `steps` steps of that size.
    """
    scaling = scaling_of(training)
    if scaling is Scaling.NONE:
        return 1.0
    return math.sqrt(batches * linear_batches(training, batches=batches, steps=steps))


def linear_batches(training: Training, *, batches: int, steps: int) -> float:
    """Up to how many of the batches of a step the rate grows linearly; with the others it grows by the square root."""
    if scaling_of(training) is not Scaling.LINEAR:
        return 1.0
    if training.schedule.scaling is not Scaling.AUTO:
        return float(batches)
    return min(float(batches), max(1.0, batches * steps / LEAST_STEPS))


@dataclass(frozen=True)
class Rates:
    """The learning rates of a training, on any number of ranks."""

    one: float
    """The rate of one batch, as people have written it."""
    scaling: Scaling
    """The rule that makes a rate of `batches` batches of it; never `Auto`."""
    batches: int
    linear: float
    """So many of the batches the rate has grown with linearly, and with the others by the square root."""
    factor: float
    """What the rule multiplies the rate of one batch by."""
    first: float
    """What warm-up rises from."""
    target: float
    """The rate after warm-up, from which the schedule takes its course."""
    warmup: int
    """Steps in which it rises."""
    schedule: Schedule
    epochs: int
    steps: int
    """Of an epoch."""

    def of_epoch(self, epoch: int) -> NDArray[np.float32]:
        """Those of the steps of an epoch, counted from 0.

        During warm-up the rate rises by the same amount each step. Then the schedule's course begins.
        """
        position = np.arange(epoch * self.steps + 1, (epoch + 1) * self.steps + 1)
        share = np.minimum(1.0, position / self.warmup) if self.warmup > 0 else np.ones(self.steps)
        after = np.maximum(0, position - 1 - self.warmup)
        course = _course(self.schedule, after=after, steps=self.steps, total=self.epochs * self.steps - self.warmup)
        return ((self.first + (self.target - self.first) * share) * course).astype(np.float32)


def training_rates(training: Training, *, batches: int, steps: int) -> Rates:
    """The rates of a training with `batches` batches in a step, and `steps` steps in an epoch."""
    one, growth = number(training.optimizer.learning_rate), factor(training, batches=batches, steps=steps)
    return Rates(
        one=one,
        scaling=scaling_of(training),
        batches=batches,
        linear=linear_batches(training, batches=batches, steps=steps),
        factor=growth,
        first=one,
        target=one * growth,
        warmup=_warmup(training, growth=growth, steps=steps),
        schedule=training.schedule,
        epochs=training.epochs,
        steps=steps,
    )


def fine_tuning_rates(training: Training, *, batches: int, steps: int, most: float = math.inf) -> Rates:
    """The rates of a fine-tuning: scaled by the square root at most where steps are normalised, and never above `most`."""
    if is_adaptive(training) and scaling_of(training) is Scaling.LINEAR:
        schedule = training.schedule.model_copy(update={"scaling": Scaling.SQUARE_ROOT})
        training = training.model_copy(update={"schedule": schedule})
    growth = factor(training, batches=batches, steps=steps)
    return Rates(
        one=number(training.optimizer.learning_rate),
        scaling=scaling_of(training),
        batches=batches,
        linear=linear_batches(training, batches=batches, steps=steps),
        factor=growth,
        first=0.0,
        target=min(most, number(training.optimizer.learning_rate) * growth),
        warmup=_bounded(GENTLE_EPOCHS * steps, share=GENTLE_SHARE, total=training.epochs * steps),
        schedule=training.schedule,
        epochs=training.epochs,
        steps=steps,
    )


def _warmup(training: Training, *, growth: float, steps: int) -> int:
    """Steps of warm-up: what the schedule says, and with `Auto`, where it says nothing, what a large factor needs."""
    schedule = training.schedule
    if schedule.warmup_epochs > 0 or schedule.scaling is not Scaling.AUTO:
        return schedule.warmup_epochs * steps
    if growth <= WARMUP_FACTOR:
        return 0
    return _bounded(WARMUP_EPOCHS * steps, share=WARMUP_SHARE, total=training.epochs * steps)


def _bounded(wanted: int, *, share: float, total: int) -> int:
    """So many steps, but no more than a share of all, and then again not too few to be any use."""
    return min(max(min(wanted, round(share * total)), FEWEST_WARMUP_STEPS), total // 2)


def _course(schedule: Schedule, *, after: NDArray[np.int64], steps: int, total: int) -> NDArray[np.float64]:
    """Factors on the learning rate of steps that begin when `after` of the `total` steps after warm-up are done."""
    if schedule.type is ScheduleType.COSINE:
        return 0.5 * (1 + np.cos(math.pi * after / total))
    if schedule.type is ScheduleType.STEP:
        assert schedule.step_epochs is not None, "the API asks for it"
        return schedule.step_factor ** (after // (schedule.step_epochs * steps)).astype(np.float64)
    return np.ones(len(after))
