"""Whether a network can be made smaller as the specification asks, found out before hours are spent on training it."""

from typing import Any

from trainingrun.api import Compression, QuantizationMode
from trainingrun_trainer.compression.calibration import Calibration
from trainingrun_trainer.compression.convert import to_tflite
from trainingrun_trainer.data.feed import Feed

Network = Any


def check_compression(compression: Compression, network: Network) -> None:
    """Raises TrainerError (bad config) for what pruning or fine-tuning for eight bits would refuse."""
    # Both load tfmot, which takes seconds.
    if compression.pruning is not None:
        from trainingrun_trainer.compression.masks import layers_to_prune

        layers_to_prune(network, skip=compression.pruning.skip_layers)
    quantization = compression.quantization
    if quantization is not None and quantization.mode is QuantizationMode.INT8_AWARE:
        from trainingrun_trainer.compression.aware import aware_of_quantization

        aware_of_quantization(network)


def check_conversion(compression: Compression, network: Network, training: Feed) -> None:
    """Raises TrainerError (bad config) when TensorFlow Lite cannot express the network: nothing but a conversion tells.

    One takes half a second of a small network, and more than ten of a large one.
    """
    mode = compression.quantization.mode if compression.quantization is not None else None
    sample = Calibration(training, count=1, seed=0)
    to_tflite(network, shape=training.shape, normalization=training.normalization, mode=mode, calibration=sample)
