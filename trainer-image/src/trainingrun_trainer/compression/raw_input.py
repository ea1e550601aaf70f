"""A TFLite model of standardised features as one of raw features: the operations of `Normalization` come first, in float32.

The converter would round what they compute with. In eight bits raw features share one range, in which a column of small numbers
beside one of large numbers is 0 everywhere; in float16 a mean above 65504 is infinite.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

from trainingrun_trainer.data.normalization import BOUND, Normalization

_NEWEST_OLD_CODE = 127
"""Operations beyond it are named by a wider field; readers of the older one find this number."""


def with_raw_input(model: bytes, normalization: Normalization) -> bytes:
    """The model with one input of float32, raw samples [n, features], where it had one of standardised samples."""
    assert normalization.mean is not None, "there are features to standardise"
    prefix = _Prefix(flatbuffer_utils.convert_bytearray_to_object(bytearray(model)))
    add, operators = prefix.apply, schema.BuiltinOperator
    values = prefix.raw
    values = add(operators.SUB, schema.BuiltinOptions.SubOptions, schema.SubOptionsT(), values, normalization.mean)
    values = add(operators.MUL, schema.BuiltinOptions.MulOptions, schema.MulOptionsT(), values, normalization.scale)
    for operator, bound in ((operators.MINIMUM, BOUND), (operators.MAXIMUM, -BOUND)):
        options = schema.MaximumMinimumOptionsT()
        values = add(operator, schema.BuiltinOptions.MaximumMinimumOptions, options, values, np.float32(bound))
    return prefix.finished(values)


class _Prefix:
    """Operations before the first one of a model."""

    def __init__(self, model: Any) -> None:
        self._model, self._graph = model, model.subgraphs[0]
        self._old: int = self._graph.inputs[0]
        old = self._graph.tensors[self._old]
        self._form = (old.shape, old.shapeSignature)
        self._operators: list[Any] = []
        self.raw = self._tensor("samples", *self._form)
        """The new input: number of its tensor."""

    def apply(self, code: int, kind: int, options: Any, values: int, constant: Any) -> int:
        """Add an operation on a tensor and a constant; returns the number of the tensor with what comes of it."""
        numbers = np.asarray(constant, dtype=np.float32)
        other = self._tensor(f"normalization/{len(self._operators)}", list(numbers.shape), content=numbers)
        return self._add(code, kind, options, [values, other], self._tensor(f"normalized/{len(self._operators)}", *self._form))

    def finished(self, values: int) -> bytes:
        """The model, whose first operation takes these values from now on, as integers if it takes such."""
        if self._graph.tensors[self._old].type == schema.TensorType.FLOAT32:
            for operator in self._graph.operators:
                operator.inputs = [values if each == self._old else each for each in operator.inputs]
        else:
            options = (schema.BuiltinOptions.QuantizeOptions, schema.QuantizeOptionsT())
            self._add(schema.BuiltinOperator.QUANTIZE, *options, [values], self._old)
        self._graph.inputs = [self.raw]
        for signature in self._model.signatureDefs or []:
            for place in signature.inputs:
                place.tensorIndex = self.raw
        self._graph.operators = [*self._operators, *self._graph.operators]
        return bytes(flatbuffer_utils.convert_object_to_bytearray(self._model))

    def _add(self, code: int, kind: int, options: Any, inputs: list[int], output: int) -> int:
        operator = schema.OperatorT()
        operator.opcodeIndex = self._code(code)
        operator.builtinOptionsType, operator.builtinOptions = kind, options
        operator.inputs, operator.outputs = inputs, [output]
        self._operators.append(operator)
        return output

    def _code(self, code: int) -> int:
        made = schema.OperatorCodeT()
        made.builtinCode, made.deprecatedBuiltinCode, made.version = code, min(code, _NEWEST_OLD_CODE), 1
        self._model.operatorCodes.append(made)
        return len(self._model.operatorCodes) - 1

    def _tensor(self, name: str, shape: Any, signature: Any = None, *, content: NDArray[np.float32] | None = None) -> int:
        buffer = schema.BufferT()
        if content is not None:
            buffer.data = np.frombuffer(content.astype("<f4").tobytes(), dtype=np.uint8)
        self._model.buffers.append(buffer)
        tensor = schema.TensorT()
        tensor.name, tensor.type = name, schema.TensorType.FLOAT32
        tensor.shape, tensor.shapeSignature = shape, signature
        tensor.buffer = len(self._model.buffers) - 1
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1
