"""How sparse each layer becomes, when all of them together are to have a sparsity. NumPy only."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainingrun.api import Allocation

Weights = NDArray[Any]


def allocate(allocation: Allocation, layers: Sequence[Weights], *, sparsity: float) -> list[float]:
    """The sparsity of each layer, in the order of `layers`, whose weights are [n].

    Uniform gives all the same. Adaptive takes those weights first, whatever their layer, that add least to it: see `_scores`;
    one weight of each layer stays. In both ways a larger sparsity makes no layer less sparse, and their mean, weighted by `n`,
    is the sparsity asked for, up to half a weight.
    """
    if allocation is Allocation.UNIFORM:
        return [sparsity] * len(layers)
    sizes = [weights.size for weights in layers]
    scores = np.concatenate([_scores(weights) for weights in layers])
    owners = np.repeat(np.arange(len(layers)), sizes)
    count = min(round(sparsity * len(scores)), len(scores) - len(layers))
    taken = np.argsort(scores, kind="stable")[:count]
    zeros = np.bincount(owners[taken], minlength=len(layers))
    return [int(zero) / size for zero, size in zip(zeros, sizes, strict=True)]


def _scores(weights: Weights) -> Weights:
    """From 0 to 1, ascending: the square of a weight, over the sum of the squares of all in its layer that are no smaller.

    It grows with the share of the layer's output that is lost when the weight is the next to go, so layers can be compared
    however large their weights are; the largest weight of each has 1 and goes last. Lee et al., "Layer-adaptive sparsity for
    the magnitude-based pruning", https://arxiv.org/abs/2010.07611.
    """
    squares = np.sort(np.square(weights.astype(np.float64)))
    left = np.cumsum(squares[::-1])[::-1]
    scores = np.divide(squares, left, out=np.zeros_like(squares), where=left > 0)
    scores[-1] = 1  # also where all weights are zero
    return np.asarray(scores)
