"""The stage that prunes: the trained network goes on training while its small weights become zero, once for each sparsity."""

from collections.abc import Iterator, Sequence
from typing import Any

from trainingrun.api import Pruning
from trainingrun.contract import Cause
from trainingrun_trainer.compression.masks import MaskedOptimizer, Masks, layers_to_prune, sparsities, targets_of
from trainingrun_trainer.compression.pruned import Pruned, PrunedLayer
from trainingrun_trainer.compression.ramp import ramp
from trainingrun_trainer.context import Context
from trainingrun_trainer.data.feed import Split
from trainingrun_trainer.data.shard import steps_per_epoch
from trainingrun_trainer.errors import failed
from trainingrun_trainer.parallel.guard import check_equal_weights
from trainingrun_trainer.stages.course import Course
from trainingrun_trainer.stages.loop import follow
from trainingrun_trainer.stages.optimizers import Optimizer

Network = Any

TOLERANCE = 0.01
"""How far the sparsity of a layer may be from what it is to have."""


def prune(context: Context, network: Network, split: Split) -> Iterator[Pruned]:
    """A pruned network for each of `spec.compression.pruning.finalSparsities`, the least sparse first.

    Each is pruned from the trained weights that the network has at the beginning, and has its own checkpoints, so that the
    next attempt goes on where this one was. The network itself has the weights of what was yielded last.
    Raises TrainerError: BadConfig when there is nothing to prune, and what training raises.
    """
    compression = context.config.compression
    pruning = compression.pruning if compression is not None else None
    assert pruning is not None, "the caller has looked"
    layers = layers_to_prune(network, skip=pruning.skip_layers)
    trained = network.get_weights()
    for sparsity in sorted(pruning.final_sparsities):
        network.set_weights(trained)
        yield _prune(context, network, split, layers=layers, pruning=pruning, sparsity=sparsity)


def _prune(
    context: Context, network: Network, split: Split, *, layers: Sequence[Any], pruning: Pruning, sparsity: float
) -> Pruned:
    """Fine-tune under masks, and see that they have done what they are for."""
    course = Course.of_pruning(context.config.training, pruning, sparsity=sparsity)
    steps = pruning.epochs * steps_per_epoch(len(split.training), batch=context.step_samples, size=context.gang.size)
    wanted = targets_of(pruning, layers, sparsity=sparsity)
    masks = Masks(network, targets=wanted, ramp=ramp(steps, frequency=pruning.frequency))
    optimizer = MaskedOptimizer(Optimizer(course.training.optimizer, network.trainable_variables), masks)
    state = follow(course, context, network, split, optimizer=optimizer)
    check_equal_weights(context.gang, masks.masks, when=f"after pruning to {sparsity}, in their masks")
    found = sparsities(layers)
    _require_sparsity(found, wanted=[target.final for target in wanted])
    if context.is_chief:
        print(f"pruned to {sparsity}: " + ", ".join(f"{layer.name} {layer.sparsity:.4f}" for layer in found))
    return Pruned(sparsity=sparsity, weights=network.get_weights(), layers=tuple(found), state=state)


def _require_sparsity(layers: Sequence[PrunedLayer], *, wanted: Sequence[float]) -> None:
    """Raises TrainerError (InternalError) when a layer has more or fewer zeros; one weight more or less is none."""
    for layer, target in zip(layers, wanted, strict=True):
        if abs(layer.sparsity - target) > max(TOLERANCE, 1 / layer.weights):
            raise failed(
                f"Layer {layer.name} has {layer.sparsity:.4f} of its {layer.weights} weights at zero, not {target:.4f}.",
                cause=Cause.INTERNAL,
                hint="This is a defect of the trainer image; name the layer in spec.compression.pruning.skipLayers to go on.",
            )
