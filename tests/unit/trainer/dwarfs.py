"""The networks of tf_keras.applications with as few blocks as have every kind of layer, and every way in which they follow.

They are made by the library's own code and take the same arguments; a whole network costs seconds to build, and most of a
minute to make aware of quantization.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
import tf_keras
from tf_keras.src.applications import densenet, efficientnet, efficientnet_v2, mobilenet, mobilenet_v2, mobilenet_v3, nasnet

from trainingrun.api import ApplicationName

Network = Any
Make = Callable[..., Network]


def _cut(make: Make, *, module: Any, keep: dict[str, int], **options: Any) -> Network:
    """The network with as many blocks of each function as `keep` says: those that follow give back what they are given."""
    with pytest.MonkeyPatch.context() as patch:
        for block, count in keep.items():
            patch.setattr(module, block, _at_first(getattr(module, block), count, pairs=module is nasnet))
        return make(**options)


def _at_first(block: Make, count: int, *, pairs: bool) -> Make:
    left = iter(range(count))

    def called(inputs: Any, *arguments: Any, **named: Any) -> Any:
        if next(left, None) is not None:
            return block(inputs, *arguments, **named)
        return (inputs, arguments[0]) if pairs else inputs

    return called


def _some(blocks: Sequence[dict[str, Any]], *, repeats: str, places: Sequence[int]) -> list[dict[str, Any]]:
    """Blocks of an EfficientNet: each of two layers, the second of which is added to the first."""
    return [blocks[place] | {repeats: 2} for place in places]


def _efficient_net(**options: Any) -> Network:
    blocks = _some(efficientnet.DEFAULT_BLOCKS_ARGS, repeats="repeats", places=(0, 1))
    named = {"blocks_args": blocks, "model_name": "efficientnetb0"} | options
    return efficientnet.EfficientNet(1.0, 1.0, 224, **named)


def _efficient_net_v2(**options: Any) -> Network:
    blocks = _some(efficientnet_v2.DEFAULT_BLOCKS_ARGS["efficientnetv2-b0"], repeats="num_repeat", places=(0, 1, 3))
    named = {"blocks_args": blocks, "model_name": "efficientnetv2-b0"} | options
    return efficientnet_v2.EfficientNetV2(1.0, 1.0, 224, **named)


def _nasnet_mobile(**options: Any) -> Network:
    """Two cells that reduce, and a normal one."""
    sizes = {"penultimate_filters": 192, "num_blocks": 1, "stem_block_filters": 8, "default_size": 224}
    make = partial(nasnet.NASNet, skip_reduction=False, **sizes)
    return _cut(make, module=nasnet, keep={"_reduction_a_cell": 2, "_normal_a_cell": 1}, **options)


_RESIDUAL = "_inverted_res_block"

DWARFS: dict[ApplicationName, Make] = {
    ApplicationName.MOBILE_NET: partial(_cut, mobilenet.MobileNet, module=mobilenet, keep={"_depthwise_conv_block": 3}),
    ApplicationName.MOBILE_NET_V2: partial(_cut, mobilenet_v2.MobileNetV2, module=mobilenet_v2, keep={_RESIDUAL: 3}),
    ApplicationName.MOBILE_NET_V3_SMALL: partial(_cut, mobilenet_v3.MobileNetV3Small, module=mobilenet_v3, keep={_RESIDUAL: 4}),
    ApplicationName.MOBILE_NET_V3_LARGE: partial(_cut, mobilenet_v3.MobileNetV3Large, module=mobilenet_v3, keep={_RESIDUAL: 2}),
    ApplicationName.EFFICIENT_NET_B0: _efficient_net,
    ApplicationName.EFFICIENT_NET_V2_B0: _efficient_net_v2,
    ApplicationName.NASNET_MOBILE: _nasnet_mobile,
    ApplicationName.DENSE_NET_121: partial(densenet.DenseNet, [2, 2, 1, 1]),
}


def dwarf(patch: pytest.MonkeyPatch) -> None:
    """Let the trainer build dwarfs instead of the whole networks."""
    for name, make in DWARFS.items():
        patch.setattr(tf_keras.applications, name, make)
