"""One image of any kind that is read, as the pixels that a person sees.

Transparent parts show white; an orientation in EXIF is followed; of an animation there is the first frame; 16 bits become 8.
"""

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainingrun_trainer.data import bmp, gif, webp
from trainingrun_trainer.data.canvas import place
from trainingrun_trainer.data.image_header import (
    PNG_COLOURS,
    PNG_GREY,
    Kind,
    has_transparency,
    kind_of,
    orientation,
    what_else,
)

Pixels = NDArray[np.uint8]
"""[height, width, channels]."""

_LUMA = np.array([0.299, 0.587, 0.114])
"""Weights of red, green and blue (ITU-R BT.601), as JPEG has them."""


class UnreadableImageError(ValueError):
    """What is wrong with an image: a clause without a full stop that goes on after its name."""


def decode(content: bytes, *, channels: int) -> Pixels:
    """Pixels with 1 or 3 channels, or with 0 as many as the image has, alpha among them. Raises UnreadableImageError."""
    kind = kind_of(content)
    if not content:
        raise UnreadableImageError("is empty")
    if kind is None:
        raise UnreadableImageError(f"is neither PNG, JPEG, WebP, BMP nor GIF: it {_said(what_else(content))}")
    try:
        pixels = _stored(content, kind, channels=channels)
    except (tf.errors.InvalidArgumentError, tf.errors.ResourceExhaustedError) as damaged:
        raise UnreadableImageError(f"is damaged or truncated: {_reason(damaged)}") from damaged
    except ValueError as damaged:
        raise UnreadableImageError(f"cannot be read: {damaged}") from damaged
    return _with_channels(_upright(pixels, orientation(content)), channels)


def _stored(content: bytes, kind: Kind, *, channels: int) -> Pixels:
    """Pixels as they are stored. An alpha channel, which is the last of 2 or 4, may still be among them."""
    match kind:
        case Kind.PNG:
            return _png(content, channels=channels)
        case Kind.JPEG:
            return _jpeg(content, channels=channels)
        case Kind.WEBP:
            return _webp(content)
        case Kind.BMP:
            return bmp.read(content)
        case Kind.GIF:
            return _gif(content)


def _png(content: bytes, *, channels: int) -> Pixels:
    """A transparent colour, which is no channel, is composed here in any case."""
    if not has_transparency(content):
        return _decoded(content, channels)
    is_keyed = content[25] in (PNG_GREY, PNG_COLOURS)
    if channels == 0 and not is_keyed:
        return _decoded(content, 0)
    whole = _decoded(content, 4)
    wanted = channels or (1 if content[25] == PNG_GREY else 3)
    colours = whole[..., :3] if wanted == 3 else _decoded(content, 1)
    return _on_white(np.concatenate([colours, whole[..., 3:]], axis=2))


def _jpeg(content: bytes, *, channels: int) -> Pixels:
    try:
        return _decoded(content, channels)
    except tf.errors.InvalidArgumentError:
        if channels != 1:
            raise
        return _decoded(content, 3)  # of four printing colours no grey can be taken at once


def _webp(content: bytes) -> Pixels:
    if not hasattr(tf.raw_ops, "DecodeWebP"):
        raise ValueError(f"it is a WebP image, which TensorFlow {tf.__version__} of this trainer image does not decode")
    image, canvas = webp.still(content)
    frame = np.asarray(tf.raw_ops.DecodeWebP(contents=image).numpy()[0], dtype=np.uint8)
    return frame if canvas is None else place(frame, canvas)


def _gif(content: bytes) -> Pixels:
    visible, canvas = gif.on_white(content)
    return place(_decoded(visible, 0), canvas)


def _decoded(content: bytes, channels: int) -> Pixels:
    pixels: Pixels = tf.raw_ops.DecodeImage(contents=content, channels=channels, expand_animations=False).numpy()
    return pixels


def _upright(pixels: Pixels, turned: int) -> Pixels:
    """Undo what an orientation of EXIF says: 2 to 4 mirror, 5 to 8 swap rows and columns as well."""
    if turned >= 5:
        pixels = pixels.transpose(1, 0, 2)
    if turned in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if turned in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def _with_channels(pixels: Pixels, channels: int) -> Pixels:
    if channels == 0:
        return pixels
    if pixels.shape[2] in (2, 4):
        pixels = _on_white(pixels)
    if pixels.shape[2] < channels:
        return np.repeat(pixels, channels, axis=2)
    if pixels.shape[2] > channels:
        return np.asarray(np.rint(pixels @ _LUMA), dtype=np.uint8)[..., np.newaxis]
    return pixels


def _on_white(pixels: Pixels) -> Pixels:
    """Composed with the alpha channel, which is the last one."""
    colours, alpha = pixels[..., :-1].astype(np.uint32), pixels[..., -1:].astype(np.uint32)
    composed: Any = (colours * alpha + 255 * (255 - alpha) + 127) // 255
    return np.asarray(composed, dtype=np.uint8)


def _said(what: str) -> str:
    return what if what.startswith("begins") else f"seems to be {what}"


def _reason(problem: Exception) -> str:
    """What TensorFlow says, without the names of its nodes."""
    text = str(problem)
    return (text.partition("}} ")[2].partition(" [Op:")[0] or text).strip().rstrip(".")
