"""A network that computes as it will in eight bits, so that training makes up for the rounding."""

from typing import Any

import tf_keras
from tensorflow_model_optimization.quantization.keras import quantize_apply, quantize_scope

from trainingrun_trainer.compression.rounding import has_no_rule, rounded
from trainingrun_trainer.errors import TrainerError, bad_config

Network = Any
Layer = Any


def aware_of_quantization(network: Network) -> Network:
    """A copy of the network, with its weights, whose kernels and activations are rounded to eight bits wherever it computes.

    Raises TrainerError (bad config) when there is no rule for a layer with weights, or the network cannot be taken apart.
    """
    _require_rules(network)
    try:
        with quantize_scope():
            aware = quantize_apply(tf_keras.models.clone_model(network, clone_function=rounded))
    except (ValueError, RuntimeError, TypeError, AttributeError, NotImplementedError) as refused:
        lines = str(refused).splitlines() or [type(refused).__name__]
        raise _refused(lines[0]) from refused
    for layer in aware.layers:
        # What a Normalization has been given as weights counts from here on.
        getattr(layer, "layer", layer).finalize_state()
    return aware


def _require_rules(network: Network) -> None:
    if not isinstance(network, tf_keras.Sequential) and not getattr(network, "_is_graph_network", False):
        raise _refused(
            f"only its own code knows the layers of the class {type(network).__name__}. Return a tf_keras Sequential or "
            "functional model."
        )
    for layer in network.layers:
        if isinstance(layer, tf_keras.Model):
            raise _refused(
                f"its layer {layer.name} is a network itself. Call the layers of {layer.name} one after the other instead, or "
                "build it on your tensors: tf_keras.applications take them as input_tensor."
            )
    without = [layer for layer in network.layers if has_no_rule(layer)]
    if without:
        named = ", ".join(f"{layer.name} ({type(layer).__name__})" for layer in without[:5])
        raise _refused(f"nothing is known about how to round the weights of {named}{' and others' if without[5:] else ''}.")


def _refused(why: str) -> TrainerError:
    return bad_config(
        f"spec.compression.quantization.mode Int8Aware cannot be used with the network of spec.model: {why}",
        hint="Set spec.compression.quantization.mode to Int8, which needs no fine-tuning.",
    )
