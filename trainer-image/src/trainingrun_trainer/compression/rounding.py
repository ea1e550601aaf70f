"""Which layers of a network are rounded to eight bits, and how, while it is made aware of quantization.

tfmot has rules for most layers and refuses a network with any other. What it has none for is rounded here where TensorFlow Lite
rounds: after a layer. A layer without weights that is not rounded at all costs nothing but a little exactness: TensorFlow Lite
takes the range of its outputs from the calibration samples, as it does with Int8.
"""

import copy
from typing import Any

import tf_keras
from tensorflow_model_optimization.quantization.keras import QuantizeConfig, quantize_annotate_layer
from tensorflow_model_optimization.quantization.keras.default_8bit import Default8BitQuantizeRegistry

Layer = Any

_layers = tf_keras.layers
_AFTERWARDS = (_layers.BatchNormalization, _layers.Multiply)
"""Layers without a rule of tfmot whose outputs are rounded."""
_LEFT_ALONE = (_layers.Normalization,)
"""Layers with weights that are no kernels. tfmot expects values from -6 to 6 at first, which those before a network are not."""
_SAME_SCALE = (_layers.AveragePooling1D, _layers.AveragePooling2D)
"""Layers whose outputs TensorFlow Lite counts in the steps of their inputs, and in no others; tfmot gives them their own."""
_FOLDED = (_layers.Conv2D, _layers.Dense, _layers.DepthwiseConv2D)
"""Layers that take a normalisation which follows them into their kernels; tfmot knows the pair."""
_KERNELS = (_layers.Conv2D, _layers.Conv2DTranspose, _layers.Dense, _layers.DepthwiseConv2D)
_KNOWN = ("NoOpActivation", "gelu", "linear", "relu", "sigmoid", "softmax", "swish", "tanh")
"""Functions that tfmot can round within such a layer."""
_KNOWN_ALONE = (*_KNOWN[1:], "relu6")
"""Functions that tfmot can round as a layer of their own."""


def rounded(layer: Layer) -> Layer:
    """The layer, marked for tfmot with how it is rounded; or as it is, where it is not."""
    if _is_left_alone(layer):
        return layer
    return quantize_annotate_layer(layer, quantize_config=_rule(layer))


def has_no_rule(layer: Layer) -> bool:
    """Whether the layer has weights that nothing would round."""
    return bool(layer.weights) and not _is_supported(layer) and not isinstance(layer, (*_AFTERWARDS, *_LEFT_ALONE))


def _is_left_alone(layer: Layer) -> bool:
    if isinstance(layer, _AFTERWARDS):
        # What follows at once is one operation with a normalisation, and has the narrower range.
        return _is_normalisation(layer) and not _is_folded(layer) and _is_before_relu(layer)
    return isinstance(layer, _SAME_SCALE) or not _is_supported(layer)


def _rule(layer: Layer) -> QuantizeConfig | None:
    """A rule of our own, or None for that of tfmot."""
    registry = Default8BitQuantizeRegistry()
    outputs = registry.get_quantize_config(_layers.Add())  # rounds what the layer returns, and nothing else
    if isinstance(layer, _AFTERWARDS):
        return None if _is_normalisation(layer) and _is_folded(layer) else outputs
    function = getattr(getattr(layer, "activation", None), "__name__", None)
    if isinstance(layer, _layers.Activation):
        return None if function in _KNOWN_ALONE else outputs
    if isinstance(layer, _KERNELS) and function not in _KNOWN:
        kernel_and_outputs = copy.copy(registry.get_quantize_config(layer))
        kernel_and_outputs.activation_attrs, kernel_and_outputs.quantize_output = [], True
        return kernel_and_outputs
    return None


def _is_supported(layer: Layer) -> bool:
    # tfmot takes a separable convolution apart, into two that it has rules for.
    return isinstance(layer, _layers.SeparableConv2D) or Default8BitQuantizeRegistry().supports(layer)


def _is_normalisation(layer: Layer) -> bool:
    return isinstance(layer, _layers.BatchNormalization)


def _is_folded(layer: Layer) -> bool:
    return all(isinstance(before, _FOLDED) and _is_linear(before) for before in _before(layer))


def _is_linear(layer: Layer) -> bool:
    return layer.activation is tf_keras.activations.linear


def _is_before_relu(layer: Layer) -> bool:
    # Wrappers are what a network's layers have been called with when it was made aware before.
    after = [getattr(node.outbound_layer, "layer", node.outbound_layer) for node in layer.outbound_nodes]
    return bool(after) and all(isinstance(each, _layers.ReLU) or _is_relu(each) for each in after)


def _is_relu(layer: Layer) -> bool:
    return isinstance(layer, _layers.Activation) and layer.activation is tf_keras.activations.relu


def _before(layer: Layer) -> list[Layer]:
    """The layers whose outputs this one takes."""
    found = layer.inbound_nodes[0].inbound_layers if layer.inbound_nodes else []
    return found if isinstance(found, list) else [found]
