"""A network as a TFLite model.

The model takes raw samples, as the SavedModel does, and returns logits: in eight bits a probability would be known to 1/256
only, and unlikely classes could not be told apart. The largest logit is the answer, and softmax of the logits the probability.
"""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainingrun.api import QuantizationMode
from trainingrun_trainer.compression.raw_input import with_raw_input
from trainingrun_trainer.data.normalization import Normalization
from trainingrun_trainer.errors import bad_config

Network = Any
Tensor = Any

_UNKNOWN = re.compile(r"'(tf\.\w+)' op is neither a custom op nor a flex op")
INTEGER = (QuantizationMode.INT8, QuantizationMode.INT8_AWARE)


def to_tflite(
    network: Network,
    *,
    shape: tuple[int, ...],
    normalization: Normalization,
    mode: QuantizationMode | None,
    calibration: NDArray[np.float32] | None = None,
) -> bytes:
    """The network as a TFLite model: [n, *shape] raw samples to [n, classes] logits; both are int8 in the integer modes.

    `normalization` brings raw samples to what the network takes. Where features are standardised it stays in float32, and so do
    the samples, in every mode: see `raw_input`. Int8 takes the ranges of its activations from `calibration`, raw
    samples [n, *shape]; and so does Int8Aware where the network has not learnt them. Without a mode all numbers stay floats.
    Raises TrainerError (bad config) when TensorFlow Lite cannot express the network.
    """
    is_apart = normalization.mean is not None
    if is_apart and calibration is not None:
        calibration = normalization(calibration).numpy()
    module = tf.Module()
    module.network = network

    @tf.function(  # type: ignore[untyped-decorator]  # TensorFlow ships no types
        autograph=False, input_signature=[tf.TensorSpec([None, *shape], tf.float32, name="samples")]
    )
    def serve(samples: Tensor) -> Tensor:
        return tf.identity(network(samples if is_apart else normalization(samples), training=False), name="logits")

    converter = tf.lite.TFLiteConverter.from_concrete_functions([serve.get_concrete_function()], module)
    _quantize(converter, mode=mode, calibration=calibration)
    try:
        converted: bytes = converter.convert()
    except Exception as refused:
        raise bad_config(
            f"TensorFlow Lite cannot express the network of spec.model"
            f"{f' with spec.compression.quantization.mode {mode}' if mode else ''}: {_reason(refused)}",
            hint=f"Change the network, or {'choose another mode' if mode else 'remove spec.compression'}.",
        ) from refused
    return with_raw_input(converted, normalization) if is_apart else converted


def _quantize(converter: Any, *, mode: QuantizationMode | None, calibration: NDArray[np.float32] | None) -> None:
    if mode is None:
        return
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if mode is QuantizationMode.FLOAT16:
        converter.target_spec.supported_types = [tf.float16]
    if mode in INTEGER:
        assert calibration is not None, "integers need ranges"
        converter.representative_dataset = lambda: _one_by_one(calibration)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8


def _one_by_one(samples: NDArray[np.float32]) -> Iterator[list[NDArray[np.float32]]]:
    for sample in samples:
        yield [sample[np.newaxis]]


def _reason(error: Exception) -> str:
    """The operations that a converter does not know, else what it says first: the rest is its stack."""
    unknown = sorted(set(_UNKNOWN.findall(str(error))))
    if unknown:
        return f"it has nothing like the operation {' and '.join(unknown)} of TensorFlow."
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
