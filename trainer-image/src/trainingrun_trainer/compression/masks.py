"""Masks that hold pruned weights at zero while a network goes on training.

tfmot wraps the layers and says which weights to take, when, and how many; but the network that is trained is the plain one.
Both have the same weights, so there is nothing to strip: after each step of the optimizer the masks are updated where the
ramp says so, and applied. Between two steps no pruned weight is anything but zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras
from numpy.typing import NDArray
from tensorflow_model_optimization.sparsity.keras import PolynomialDecay, prune_low_magnitude

from trainingrun.api import Pruning
from trainingrun_trainer.compression.allocation import allocate
from trainingrun_trainer.compression.pruned import PrunedLayer
from trainingrun_trainer.compression.ramp import Ramp
from trainingrun_trainer.errors import bad_config
from trainingrun_trainer.stages.optimizers import Learner

Network = Any
Layer = Any
Tensor = Any
Variable = Any

FIRST, LAST = "First", "Last"
"""Words of `skipLayers` for the first and the last layer that can be pruned."""


@dataclass(frozen=True)
class Target:
    """A layer to prune, and how sparse it is at the first step and at the end of the ramp."""

    layer: Layer
    initial: float
    final: float


class Masks:
    """The masks of a network's layers, and the schedules that they follow."""

    def __init__(self, network: Network, *, targets: Sequence[Target], ramp: Ramp) -> None:
        schedules = {
            id(target.layer): PolynomialDecay(
                target.initial, target.final, begin_step=0, end_step=ramp.end, frequency=ramp.frequency
            )
            for target in targets
        }
        self._wrappers: list[Any] = []

        def wrapped(layer: Layer) -> Layer:
            if isinstance(layer, tf_keras.Model):
                return tf_keras.models.clone_model(layer, clone_function=wrapped)
            if id(layer) not in schedules:
                return layer
            self._wrappers.append(prune_low_magnitude(layer, pruning_schedule=schedules[id(layer)]))
            return self._wrappers[-1]

        # The clone is only made to build the wrappers; it calls the very layers of the network.
        tf_keras.models.clone_model(network, clone_function=wrapped)

    @property
    def variables(self) -> list[Variable]:
        """Each wrapper's masks, thresholds and step, in a fixed order."""
        return [
            variable for wrapper in self._wrappers for variable in wrapper.non_trainable_weights if _is_own(wrapper, variable)
        ]

    @property
    def masks(self) -> list[Variable]:
        """Ones and zeros, of the weights' shapes."""
        return [mask for wrapper in self._wrappers for _, mask, _ in wrapper.pruning_vars]

    def after_step(self, step: Tensor) -> None:
        """Update the masks if step number `step`, counted from 0, asks for it, and apply them; used inside a graph."""
        for wrapper in self._wrappers:
            wrapper.pruning_step.assign(step)
            wrapper.pruning_obj.conditional_mask_update()
            wrapper.pruning_obj.weight_mask_op()


def _is_own(wrapper: Any, variable: Variable) -> bool:
    return all(variable is not weight for weight in wrapper.layer.weights)


class MaskedOptimizer:
    """An optimizer that leaves pruned weights at zero: see `stages.optimizers.Learner`."""

    def __init__(self, optimizer: Learner, masks: Masks) -> None:
        self._optimizer, self._masks = optimizer, masks
        self._step = tf.Variable(0, dtype=tf.int64, trainable=False, name="pruning_step")

    @property
    def variables(self) -> list[Variable]:
        """The optimizer's variables, and all that the masks need to go on."""
        return [*self._optimizer.variables, self._step, *self._masks.variables]

    def apply(self, gradients: Sequence[Tensor], *, learning_rate: Tensor) -> None:
        """Take one step; used inside a graph."""
        self._optimizer.apply(gradients, learning_rate=learning_rate)
        self._masks.after_step(self._step.read_value())
        self._step.assign_add(1)


def layers_to_prune(network: Network, *, skip: Sequence[str]) -> list[Layer]:
    """The layers with weights that tfmot can prune, without those that `spec.compression.pruning.skipLayers` names.

    Raises TrainerError (bad config) when a name is unknown, nothing is left, or the network is none that can be taken apart.
    """
    if not _is_taken_apart(network):
        raise bad_config(
            f"spec.compression.pruning cannot prune a network of the class {type(network).__name__}, whose layers only its own "
            "code knows: let spec.model.entrypoint.function return a tf_keras Sequential or functional model, or remove "
            "spec.compression.pruning."
        )
    every = leaves(network)
    able = [layer for layer in every if _is_prunable(layer)]
    names = [layer.name for layer in every]
    unknown = [name for name in skip if name not in (FIRST, LAST, *names)]
    if unknown:
        raise bad_config(
            f"spec.compression.pruning.skipLayers has {', '.join(unknown)}, which the network has not. There are First, Last, "
            f"{', '.join(layer.name for layer in able)}."
        )
    ends = {FIRST: able[:1], LAST: able[-1:]}
    skipped = {*skip, *(layer.name for word, layers in ends.items() if word in skip for layer in layers)}
    left = [layer for layer in able if layer.name not in skipped]
    if not able:
        raise bad_config(
            "spec.compression.pruning has nothing to prune: the network has no dense or convolutional layer to train. Give it "
            "one, or remove spec.compression.pruning."
        )
    if not left:
        raise bad_config(
            "spec.compression.pruning has nothing to prune: the network has no dense or convolutional layer beside those in "
            f"skipLayers, {', '.join(skip)}. Name fewer layers, or remove spec.compression.pruning."
        )
    return left


def targets_of(pruning: Pruning, layers: Sequence[Layer], *, sparsity: float) -> list[Target]:
    """How sparse each layer is to become; it follows from the weights that the layers have now."""
    weights = [_values(layer) for layer in layers]
    initial, final = (allocate(pruning.allocation, weights, sparsity=share) for share in (pruning.initial_sparsity, sparsity))
    return [Target(*each) for each in zip(layers, initial, final, strict=True)]


def sparsities(layers: Sequence[Layer]) -> list[PrunedLayer]:
    """How sparse each layer is, as its weights say."""
    return [_pruned(layer) for layer in layers]


def _pruned(layer: Layer) -> PrunedLayer:
    weights = _values(layer)
    return PrunedLayer(name=layer.name, sparsity=float(np.mean(weights == 0)), weights=weights.size)


def _values(layer: Layer) -> NDArray[Any]:
    """All the weights of a layer that are pruned, [n]."""
    return np.concatenate([np.asarray(weight).ravel() for weight in prunable_weights(layer)])


def leaves(network: Network) -> list[Layer]:
    """All layers that are no networks themselves, in their order."""
    found: list[Layer] = []
    for layer in network.layers:
        found += leaves(layer) if isinstance(layer, tf_keras.Model) else [layer]
    return found


def prunable_weights(layer: Layer) -> list[Variable]:
    """The weights of a layer that tfmot prunes: kernels, no biases."""
    try:
        prune_low_magnitude(layer)  # teaches the layer which they are, or refuses
    except ValueError:
        return []
    weights: list[Variable] = layer.get_prunable_weights()
    return weights


def _is_prunable(layer: Layer) -> bool:
    return bool(layer.trainable) and bool(prunable_weights(layer))


def _is_taken_apart(network: Network) -> bool:
    own = isinstance(network, tf_keras.Sequential) or getattr(network, "_is_graph_network", False)
    return bool(own) and all(_is_taken_apart(layer) for layer in network.layers if isinstance(layer, tf_keras.Model))
