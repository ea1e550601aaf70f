"""The learning rate: a range test. NumPy only.

A few steps with a rate that grows from far too small to far too large; the loss falls, and then explodes. Smith, "Cyclical
Learning Rates for Training Neural Networks", https://arxiv.org/abs/1506.01186.
"""

import math

import numpy as np
from numpy.typing import NDArray

from trainingrun.contract import Cause
from trainingrun_trainer.choosing.found import LEARNING_RATE, Found
from trainingrun_trainer.errors import failed

SMALLEST, LARGEST = 1e-5, 1.0
STEPS = 100
SMOOTHING = 0.9
"""Weight of the past in the running mean of the loss: one batch says little."""
EXPLOSION = 2.0
"""A loss of so many times the smallest ends the test."""
CAUTION = 10.0
"""The rate at which the loss was smallest is about to be too large for good: training takes a part of it."""


def ramp() -> NDArray[np.float32]:
    """The rates of the test, each the same factor above the one before."""
    return np.geomspace(SMALLEST, LARGEST, STEPS).astype(np.float32)


def has_exploded(losses: list[float]) -> bool:
    """Whether the test can end here."""
    if not losses or not math.isfinite(losses[-1]):
        return bool(losses)
    smooth = smoothed(losses)
    return bool(smooth[-1] > EXPLOSION * smooth.min())


def conclude(losses: list[float]) -> Found:
    """The rate to train with, from the mean losses of the first steps of the ramp.

    Raises TrainerError (NotANumber) when already the first one is no number.
    """
    if not math.isfinite(losses[0]):
        raise failed(
            f"The loss is {losses[0]} in the first step of the range test, before any learning rate has had an effect "
            "(spec.training.optimizer.learningRate Auto).",
            cause=Cause.NOT_A_NUMBER,
            hint="See that the data has no NaN and no huge numbers, and that the network gives numbers for it, together with a "
            "new value of spec.rerun.",
        )
    finite = losses[: next((index for index, loss in enumerate(losses) if not math.isfinite(loss)), len(losses))]
    rates = ramp()[: len(finite)]
    smooth = smoothed(finite)
    best = float(rates[smooth.argmin()])
    value = f"{best / CAUTION:.3g}"
    measured = tuple({"learningRate": float(f"{rate:.3g}"), "loss": loss} for rate, loss in zip(rates, finite, strict=True))
    return Found(
        name=LEARNING_RATE,
        value=value,
        reason=f"In a range test of {len(losses)} steps from {SMALLEST:g} on the loss was smallest, {smooth.min():.3g}, at "
        f"{best:.3g}; a tenth of that is taken, and is not scaled.",
        measured=measured,
    )


def smoothed(losses: list[float]) -> NDArray[np.float64]:
    """Running means, without the bias towards 0 that they begin with."""
    means, mean = [], 0.0
    for count, loss in enumerate(losses, start=1):
        mean = SMOOTHING * mean + (1 - SMOOTHING) * loss
        means.append(mean / (1 - SMOOTHING**count))
    return np.array(means)
