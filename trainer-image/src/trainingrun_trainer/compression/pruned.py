"""What pruning makes, as values: here, because the modules that prune load tfmot, which takes seconds."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from trainingrun_trainer.checkpoint import LoopState


@dataclass(frozen=True)
class PrunedLayer:
    """A layer and the fraction of its prunable weights that is zero."""

    name: str
    sparsity: float
    weights: int
    """How many there are to prune."""


@dataclass(frozen=True)
class Pruned:
    """A pruned network: the weights for it, and how sparse they are."""

    sparsity: float
    """What was asked for, as in `finalSparsities`."""
    weights: list[NDArray[Any]]
    """For `network.set_weights`."""
    layers: tuple[PrunedLayer, ...]
    state: LoopState
    """With the metrics of every epoch of fine-tuning."""

    @property
    def share(self) -> float:
        """Fraction of the pruned layers' weights that is zero."""
        return sum(layer.sparsity * layer.weights for layer in self.layers) / sum(layer.weights for layer in self.layers)
