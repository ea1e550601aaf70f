"""Encoded images as pixels, many at once in one graph: that is several times as fast as one after the other."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainingrun.api import ImageSize
from trainingrun_trainer.errors import TrainerError, bad_data

Tensor = Any
Name = Callable[[int], str]
"""What the image at a place of a batch is called in errors."""


class ImageDecoder:
    """Decodes PNG and JPEG images of one shape, or brings them to one size."""

    def __init__(self, size: ImageSize | None, *, first: bytes, name: str) -> None:
        """`first` is an image of the data: without a size, all others must have its shape."""
        self._size = size
        self._first_name = name
        self._channels = 0 if size is None else size.channels
        self.shape = tuple(self._one(first, name=name).shape)

        @tf.function(  # type: ignore[untyped-decorator]  # TensorFlow ships no types
            autograph=False, input_signature=[tf.TensorSpec([None], tf.string)]
        )
        def decode(contents: Tensor) -> Tensor:
            return tf.map_fn(self._pixels, contents, fn_output_signature=tf.TensorSpec(self.shape, tf.uint8))

        self._decode = decode

    def __call__(self, contents: Sequence[bytes], *, name: Name) -> NDArray[np.uint8]:
        """Pixels [n, height, width, channels].

        Raises TrainerError (bad data) naming the first image that is damaged or of another shape.
        """
        try:
            pixels: NDArray[np.uint8] = self._decode(tf.constant(contents, tf.string)).numpy()
        except tf.errors.InvalidArgumentError:
            for place, content in enumerate(contents):
                self._require_shape(self._one(content, name=name(place)).shape, name=name(place))
            raise
        return pixels

    def _pixels(self, content: Tensor) -> Tensor:
        """Decode one image, in a graph or not."""
        image = tf.raw_ops.DecodeImage(contents=content, channels=self._channels, expand_animations=False)
        if self._size is None:
            return image
        image = tf.ensure_shape(image, [None, None, self._size.channels])
        resized = tf.image.resize(image, [self._size.height, self._size.width], antialias=True)
        return tf.saturate_cast(tf.round(resized), tf.uint8)

    def _one(self, content: bytes, *, name: str) -> NDArray[np.uint8]:
        try:
            pixels: NDArray[np.uint8] = self._pixels(tf.constant(content)).numpy()
        except tf.errors.InvalidArgumentError as damaged:
            raise _damaged(name, content=content, problem=damaged) from damaged
        return pixels

    def _require_shape(self, shape: tuple[int, ...], *, name: str) -> None:
        if shape != self.shape:
            raise bad_data(
                f"{name} is {_in_words(shape)}, but {self._first_name} is {_in_words(self.shape)}: all images must be of one "
                "size. Set spec.data.image, and they are brought to it."
            )


def _in_words(shape: tuple[int, ...]) -> str:
    height, width, channels = shape
    return f"{height} x {width} pixels (height x width) with {channels} channel{'s' if channels > 1 else ''}"


def _damaged(name: str, *, content: bytes, problem: Exception) -> TrainerError:
    if not content:
        return bad_data(f"{name} is empty; expected a PNG or JPEG image. Copy it again.")
    said = str(problem).partition("}} ")[2].partition(" [Op:")[0].rstrip(".") or str(problem)
    if said.startswith("Unknown image file format"):
        return bad_data(f"{name} is neither PNG nor JPEG: it begins with {content[:4].hex()}. Convert it, or leave it out.")
    return bad_data(f"{name} is damaged or truncated: {said}. Copy it again, or leave it out.")
