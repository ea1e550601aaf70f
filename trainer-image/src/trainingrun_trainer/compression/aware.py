"""A network that computes as it will in eight bits, so that training makes up for the rounding."""

from typing import Any

from tensorflow_model_optimization.quantization.keras import quantize_model

from trainingrun_trainer.errors import bad_config

Network = Any


def aware_of_quantization(network: Network) -> Network:
    """A copy of the network, with its weights, whose kernels and activations are rounded to eight bits wherever it computes.

    Raises TrainerError (bad config) when tfmot has no rule for one of its layers.
    """
    try:
        return quantize_model(network)
    except (ValueError, RuntimeError, AttributeError, NotImplementedError) as refused:
        lines = str(refused).splitlines() or [type(refused).__name__]
        raise bad_config(
            f"spec.compression.quantization.mode Int8Aware cannot be used with the network of spec.model: {lines[0]}",
            hint="Set spec.compression.quantization.mode to Int8, which needs no fine-tuning.",
        ) from refused
