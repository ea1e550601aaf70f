"""Which variables of a network are what. Any tf_keras network, also one of the user's."""

from collections.abc import Sequence
from typing import Any

Network = Any
Variable = Any


def kernels(weights: Sequence[Variable]) -> list[Variable]:
    """The kernels of dense layers and convolutions, which penalties on large weights are for: no biases, no normalisation."""
    return [weight for weight in weights if "kernel" in weight.name]


def moving_statistics(network: Network) -> list[Variable]:
    """What a network learns beside its gradients, such as BatchNorm's averages: each rank has seen other samples."""
    return [weight for weight in network.non_trainable_variables if weight.dtype.is_floating]
