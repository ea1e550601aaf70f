"""Which variables of a network are what. Any tf_keras network, also one of the user's."""

from collections.abc import Sequence
from typing import Any

Network = Any
Variable = Any


def kernels(weights: Sequence[Variable]) -> list[Variable]:
    """The kernels of dense layers and convolutions, depthwise ones included, which penalties on large weights are for.

    No biases, and no scales and offsets of normalisation. A layer's name counts for nothing.
    """
    return [weight for weight in weights if "kernel" in weight.name.rpartition("/")[2]]


def moving_statistics(network: Network) -> list[Variable]:
    """What a network learns beside its gradients, such as BatchNorm's averages: each rank has seen other samples.

    Weights that are frozen are not among them: they were made to be trained, and are equal everywhere.
    """
    return [weight for weight in network.non_trainable_variables if not weight.trainable and weight.dtype.is_floating]
