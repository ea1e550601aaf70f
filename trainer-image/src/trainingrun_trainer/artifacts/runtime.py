"""How a model is run where it will be used: raw samples in, logits out."""

import math
import warnings
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainingrun_trainer.data.normalization import Normalization

Network = Any

Samples = NDArray[np.float32]
"""[n, *shape], raw."""


class Runtime(Protocol):
    """Runs a model."""

    @property
    def widest(self) -> int:
        """Bytes that one sample takes in the largest tensor of the model, as far as they are known."""

    def __call__(self, samples: Samples) -> NDArray[np.float32]:
        """The logits [n, classes] of samples."""


def interpreter(model: bytes) -> Any:
    """An interpreter of a TFLite model, on one thread."""
    with warnings.catch_warnings():  # it announces that it moves to a package of its own, LiteRT
        warnings.simplefilter("ignore", UserWarning)
        return tf.lite.Interpreter(model_content=model, num_threads=1)


class TFLite:
    """A TFLite model on one thread; it may have integers for inputs and outputs."""

    def __init__(self, model: bytes) -> None:
        self._interpreter = interpreter(model)
        self._batch = -1
        self._prepare(1)
        tensors = self._interpreter.get_tensor_details()
        self.widest = max(
            (_bytes(each["shape"], each["dtype"]) for each in tensors if list(each["shape"][:1]) == [1]), default=0
        )

    def __call__(self, samples: Samples) -> NDArray[np.float32]:
        """The logits of samples. Another number of samples than before costs a preparation."""
        if len(samples) != self._batch:
            self._prepare(len(samples))
        self._interpreter.set_tensor(self._input["index"], _quantized(samples, self._input))
        self._interpreter.invoke()
        return _floats(self._interpreter.get_tensor(self._output["index"]), self._output)

    def _prepare(self, batch: int) -> None:
        place = self._interpreter.get_input_details()[0]
        self._interpreter.resize_tensor_input(place["index"], [batch, *place["shape"][1:]])
        self._interpreter.allocate_tensors()
        self._batch = batch
        self._input, self._output = self._interpreter.get_input_details()[0], self._interpreter.get_output_details()[0]


class TensorFlow:
    """What computes the logits of raw samples in a graph, with all threads of this rank."""

    def __init__(self, function: Any) -> None:
        """A `tf.function` with one signature."""
        self._logits = function.get_concrete_function()

    def __call__(self, samples: Samples) -> NDArray[np.float32]:
        """The logits of samples."""
        found: NDArray[np.float32] = self._logits(tf.constant(samples)).numpy()
        return found

    @property
    def widest(self) -> int:
        """By the graph, whatever kind of network it is of."""
        outputs = [output for operation in self._logits.graph.get_operations() for output in operation.outputs]
        forms = [(output.shape, output.dtype.as_numpy_dtype) for output in outputs if output.shape.rank]
        known = [_bytes(form[1:], kind) for form, kind in forms if form[0] is None and form[1:].is_fully_defined()]
        return max(known, default=0)


def keras_runtime(network: Network, *, shape: tuple[int, ...], normalization: Normalization) -> TensorFlow:
    """A network in TensorFlow, as its SavedModel runs it."""

    @tf.function(  # type: ignore[untyped-decorator]  # TensorFlow ships no types
        autograph=False, input_signature=[tf.TensorSpec([None, *shape], tf.float32)]
    )
    def logits(samples: Any) -> Any:
        return tf.cast(network(normalization(samples), training=False), tf.float32)

    return TensorFlow(logits)


def _bytes(shape: Sequence[int], kind: Any) -> int:
    return math.prod(int(size) for size in shape) * int(np.dtype(kind).itemsize)


def _quantized(samples: Samples, details: dict[str, Any]) -> NDArray[Any]:
    """Samples as the model takes them: integers are rounded, and end at the range of their type."""
    kind: np.dtype[Any] = np.dtype(details["dtype"])
    if kind.kind == "f":
        return samples.astype(kind)
    scale, zero = details["quantization"]
    limits = np.iinfo(kind)
    return np.asarray(np.clip(np.round(samples / scale) + zero, limits.min, limits.max).astype(kind))


def _floats(values: NDArray[Any], details: dict[str, Any]) -> NDArray[np.float32]:
    if values.dtype.kind == "f":
        return values.astype(np.float32)
    scale, zero = details["quantization"]
    return np.asarray((values.astype(np.float32) - zero) * scale, dtype=np.float32)
