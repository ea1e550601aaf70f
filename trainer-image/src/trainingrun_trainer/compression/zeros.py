"""Weights that are zero and stay so, whatever an optimizer makes of them."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from trainingrun_trainer.models.weights import kernels
from trainingrun_trainer.stages.optimizers import Learner

Tensor = Any
Variable = Any


class ZerosKept:
    """An optimizer around another one that leaves those weights of kernels at zero that are zero now."""

    def __init__(self, optimizer: Learner, weights: Sequence[Variable]) -> None:
        self._optimizer = optimizer
        self._kernels = kernels(weights)
        self._masks = [tf.cast(tf.not_equal(kernel, 0), kernel.dtype) for kernel in self._kernels]

    @property
    def variables(self) -> list[Variable]:
        """Those of the other: what is zero follows from the weights that this course of training begins with."""
        return self._optimizer.variables

    def apply(self, gradients: Sequence[Tensor], *, learning_rate: Tensor) -> None:
        """Take one step; used inside a graph."""
        self._optimizer.apply(gradients, learning_rate=learning_rate)
        for kernel, mask in zip(self._kernels, self._masks, strict=True):
            kernel.assign(kernel.read_value() * mask)
