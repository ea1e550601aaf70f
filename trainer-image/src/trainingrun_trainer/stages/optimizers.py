"""The optimizers, on TensorFlow's fused kernels: one operation per weight, where tf_keras' optimizers take about ten.

For a small network these operations are the step: an MLP of 784-128-10 takes 127,000 images/s with the kernel for Adam and
84,000 with tf_keras' Adam (docs/benchmarks.md). The formulas are those of tf_keras, and so are the constants.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import tensorflow as tf

from trainingrun.api import Optimizer as Settings
from trainingrun.api import OptimizerName
from trainingrun_trainer.models.weights import kernels

Tensor = Any
Variable = Any

BETA_1, BETA_2 = 0.9, 0.999
RHO = 0.9
EPSILON = 1e-7
WEIGHT_DECAY = 0.004
"""Of AdamW, as in tf_keras."""


class Learner(Protocol):
    """Changes weights by gradients: an `Optimizer`, or one around it."""

    @property
    def variables(self) -> list[Variable]:
        """All its state, in a fixed order."""

    def apply(self, gradients: Sequence[Tensor], *, learning_rate: Tensor) -> None:
        """Take one step; used inside a graph."""


class Optimizer:
    """Changes weights by gradients; `variables` is all its state, in a fixed order."""

    def __init__(self, settings: Settings, weights: Sequence[Variable]) -> None:
        self._weights = list(weights)
        self._decaying = {weight.ref() for weight in kernels(weights)}
        self._decay = _decay(settings)
        self._iterations = tf.Variable(0.0, trainable=False, name="iterations")
        slots, self._change = _RULES[settings.name](settings.momentum)
        self._slots = [[_slot_of(weight) for _ in range(slots)] for weight in self._weights]

    @property
    def variables(self) -> list[Variable]:
        """The number of steps taken, and each weight's slots."""
        return [self._iterations, *(slot for slots in self._slots for slot in slots)]

    def apply(self, gradients: Sequence[Tensor], *, learning_rate: Tensor) -> None:
        """Take one step; used inside a graph."""
        # By the handle, as the kernels do: on several devices each changes its own copy.
        tf.raw_ops.AssignAddVariableOp(resource=self._iterations.handle, value=1.0)
        step = self._iterations.read_value()
        for weight, gradient, slots in zip(self._weights, gradients, self._slots, strict=True):
            if self._decay > 0 and weight.ref() in self._decaying:
                decayed = weight.read_value() * (learning_rate * self._decay)
                tf.raw_ops.AssignSubVariableOp(resource=weight.handle, value=decayed)
            self._change(weight, gradient, slots, learning_rate, step)


def _decay(settings: Settings) -> float:
    if settings.name is not OptimizerName.ADAMW:
        return 0.0
    return settings.weight_decay if settings.weight_decay is not None else WEIGHT_DECAY


Rule = Callable[[Variable, Tensor, list[Variable], Tensor, Tensor], None]
"""Changes a weight by (gradient, its slots, learning rate, number of the step from 1)."""


def _slot_of(weight: Variable) -> Variable:
    return tf.Variable(tf.zeros(weight.shape, tf.float32), trainable=False)


def _adam(_: float) -> tuple[int, Rule]:
    """Kingma and Ba, https://arxiv.org/abs/1412.6980. With decay of the kernels it is AdamW, https://arxiv.org/abs/1711.05101."""

    def change(weight: Variable, gradient: Tensor, slots: list[Variable], rate: Tensor, step: Tensor) -> None:
        tf.raw_ops.ResourceApplyAdam(
            var=weight.handle,
            m=slots[0].handle,
            v=slots[1].handle,
            beta1_power=tf.pow(BETA_1, step),
            beta2_power=tf.pow(BETA_2, step),
            lr=rate,
            beta1=BETA_1,
            beta2=BETA_2,
            epsilon=EPSILON,
            grad=gradient,
        )

    return 2, change


def _sgd(momentum: float) -> tuple[int, Rule]:
    """Stochastic gradient descent; its momentum is the velocity of the weights, learning rate included."""

    def descend(weight: Variable, gradient: Tensor, slots: list[Variable], rate: Tensor, step: Tensor) -> None:
        tf.raw_ops.ResourceApplyGradientDescent(var=weight.handle, alpha=rate, delta=gradient)

    def change(weight: Variable, gradient: Tensor, slots: list[Variable], rate: Tensor, step: Tensor) -> None:
        tf.raw_ops.ResourceApplyKerasMomentum(
            var=weight.handle, accum=slots[0].handle, lr=rate, grad=gradient, momentum=momentum
        )

    return (1, change) if momentum > 0 else (0, descend)


def _rmsprop(momentum: float) -> tuple[int, Rule]:
    """Tieleman and Hinton, lecture 6e of "Neural Networks for Machine Learning"."""

    def change(weight: Variable, gradient: Tensor, slots: list[Variable], rate: Tensor, step: Tensor) -> None:
        tf.raw_ops.ResourceApplyRMSProp(
            var=weight.handle,
            ms=slots[0].handle,
            mom=slots[1].handle,
            lr=rate,
            rho=RHO,
            momentum=momentum,
            epsilon=EPSILON,
            grad=gradient,
        )

    return 2, change


_RULES: dict[OptimizerName, Callable[[float], tuple[int, Rule]]] = {
    OptimizerName.ADAM: _adam,
    OptimizerName.ADAMW: _adam,
    OptimizerName.SGD: _sgd,
    OptimizerName.RMSPROP: _rmsprop,
}
