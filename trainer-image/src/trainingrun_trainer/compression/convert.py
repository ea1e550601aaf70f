"""A network as a TFLite model.

The model takes raw samples, as the SavedModel does, and returns logits: in eight bits a probability would be known to 1/256
only, and unlikely classes could not be told apart. The largest logit is the answer, and softmax of the logits the probability.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainingrun.api import QuantizationMode
from trainingrun_trainer.compression.raw_input import with_raw_input
from trainingrun_trainer.data.normalization import Normalization
from trainingrun_trainer.errors import TrainerError, bad_config
from trainingrun_trainer.out_of_memory import is_out_of_memory, out_of_memory

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
    calibration: Iterable[NDArray[np.float32]] | None = None,
    report: Callable[[], None] = lambda: None,
) -> bytes:
    """The network as a TFLite model: [n, *shape] raw samples to [n, classes] logits; both are int8 in the integer modes.

    `normalization` brings raw samples to what the network takes. Where features are standardised it stays in float32, and so do
    the samples, in every mode: see `raw_input`. Int8 takes the ranges of its activations from `calibration`, raw
    samples [*shape], which may be taken more than once; and so does Int8Aware where the network has not learnt them. `report`
    is called after each of them. Without a mode all numbers stay floats.
    Raises TrainerError: bad config when TensorFlow Lite cannot express the network, OOMKilled, and what `calibration` and
    `report` raise.
    """
    is_apart = normalization.mean is not None
    module = tf.Module()
    module.network = network

    @tf.function(  # type: ignore[untyped-decorator]  # TensorFlow ships no types
        autograph=False, input_signature=[tf.TensorSpec([None, *shape], tf.float32, name="samples")]
    )
    def serve(samples: Tensor) -> Tensor:
        return tf.identity(network(samples if is_apart else normalization(samples), training=False), name="logits")

    converter = tf.lite.TFLiteConverter.from_concrete_functions([serve.get_concrete_function()], module)
    samples = None if calibration is None else _Samples(calibration, normalization if is_apart else None, report)
    _quantize(converter, mode=mode, calibration=samples)
    try:
        converted: bytes = converter.convert()
    except TrainerError:
        raise
    except Exception as refused:
        if is_out_of_memory(refused):
            raise out_of_memory(words=f"TensorFlow Lite converts the network of spec.model: {_reason(refused)}") from refused
        raise bad_config(
            f"TensorFlow Lite cannot express the network of spec.model"
            f"{f' with spec.compression.quantization.mode {mode}' if mode else ''}: {_reason(refused)}",
            hint=f"Change the network, or {'choose another mode' if mode else 'remove spec.compression'}.",
        ) from refused
    return with_raw_input(converted, normalization) if is_apart else converted


def _quantize(converter: Any, *, mode: QuantizationMode | None, calibration: "_Samples | None") -> None:
    if mode is None:
        return
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if mode is QuantizationMode.FLOAT16:
        converter.target_spec.supported_types = [tf.float16]
    if mode in INTEGER:
        assert calibration is not None, "integers need ranges"
        converter.representative_dataset = calibration.one_by_one
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8


@dataclass(frozen=True)
class _Samples:
    """What the converter is shown."""

    raw: Iterable[NDArray[np.float32]]
    normalization: Normalization | None
    """Where the model does not have its own within."""
    report: Callable[[], None]

    def one_by_one(self) -> Iterator[list[NDArray[np.float32]]]:
        """Each as a batch of one; it has been worked on when the next is asked for."""
        for sample in self.raw:
            batch = sample[np.newaxis]
            yield [batch if self.normalization is None else self.normalization(batch).numpy()]
            self.report()


def _reason(error: Exception) -> str:
    """The operations that a converter does not know, else what it says first: the rest is its stack."""
    unknown = sorted(set(_UNKNOWN.findall(str(error))))
    if unknown:
        return f"it has nothing like the operation {' and '.join(unknown)} of TensorFlow."
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
