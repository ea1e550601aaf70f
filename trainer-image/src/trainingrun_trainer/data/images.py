"""Encoded images as pixels, many at once in one graph: that is several times as fast as one after the other.

Those whose pixels need care (`image_header`) are decoded one by one.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainingrun.api import ImageSize
from trainingrun_trainer.data.damaged import DamagedSamplesError
from trainingrun_trainer.data.encoded import Positions
from trainingrun_trainer.data.image_header import is_plain
from trainingrun_trainer.data.one_image import Pixels, UnreadableImageError, decode
from trainingrun_trainer.errors import bad_data

FIRST = 100
"""So many images at the beginning are tried for one that is intact."""

Tensor = Any
Name = Callable[[int], str]
"""What the image at a position of the data is called in errors."""
Batch = NDArray[np.uint8]
"""[n, height, width, channels]."""


class ImageDecoder:
    """Decodes images of one shape, or brings them to one size."""

    def __init__(self, size: ImageSize | None, *, first: Iterable[tuple[str, bytes]]) -> None:
        """`first` are images of the data and their names: without a size, all others must have the shape of the first intact.

        Raises TrainerError (bad data) when none of them is intact.
        """
        self._size = size
        self._channels = 0 if size is None else size.channels
        self._first_name, self.shape = self._first_intact(first)

        @tf.function(  # type: ignore[untyped-decorator]  # TensorFlow ships no types
            autograph=False, input_signature=[tf.TensorSpec([None], tf.string)]
        )
        def decode_plain(contents: Tensor) -> Tensor:
            return tf.map_fn(self._plain, contents, fn_output_signature=tf.TensorSpec(self.shape, tf.uint8))

        self._decode_plain = decode_plain

    def __call__(self, contents: Sequence[bytes], *, positions: Positions, name: Name) -> Batch:
        """Pixels [n, height, width, channels].

        Raises TrainerError (bad data): DamagedSamplesError with all of them that are, or one that names the first image of
        another shape.
        """
        plain = np.fromiter((is_plain(content) for content in contents), dtype=bool, count=len(contents))
        if plain.all():
            return self._many(contents, positions, name=name)
        whole = np.empty((len(contents), *self.shape), np.uint8)
        found: dict[int, str] = {}
        for chosen, decode_all in ((plain, self._many), (~plain, self._one_by_one)):
            some = [contents[place] for place in np.flatnonzero(chosen).tolist()]
            try:
                whole[chosen] = decode_all(some, positions[chosen], name=name) if some else 0
            except DamagedSamplesError as damaged:
                found |= damaged.found
        if found:
            raise DamagedSamplesError(found)
        return whole

    def _many(self, contents: Sequence[bytes], positions: Positions, *, name: Name) -> Batch:
        try:
            pixels: Batch = self._decode_plain(tf.constant(contents, tf.string)).numpy()
        except tf.errors.InvalidArgumentError:
            return self._one_by_one(contents, positions, name=name)
        return pixels

    def _one_by_one(self, contents: Sequence[bytes], positions: Positions, *, name: Name) -> Batch:
        found: dict[int, str] = {}
        pixels = np.empty((len(contents), *self.shape), np.uint8)
        for row, (content, position) in enumerate(zip(contents, positions.tolist(), strict=True)):
            try:
                image = self._one(content)
            except UnreadableImageError as unreadable:
                found[position] = f"{name(position)} {unreadable}"
                continue
            if not found:
                self._require_shape(image.shape, name=name(position))
                pixels[row] = image
        if found:
            raise DamagedSamplesError(found)
        return pixels

    def _one(self, content: bytes) -> Pixels:
        image = decode(content, channels=self._channels)
        return image if self._size is None else self._resized(tf.constant(image)).numpy()

    def _plain(self, content: Tensor) -> Tensor:
        """Decode one image in a graph."""
        image = tf.raw_ops.DecodeImage(contents=content, channels=self._channels, expand_animations=False)
        return image if self._size is None else self._resized(tf.ensure_shape(image, [None, None, self._size.channels]))

    def _resized(self, image: Tensor) -> Tensor:
        assert self._size is not None
        resized = tf.image.resize(image, [self._size.height, self._size.width], antialias=True)
        return tf.saturate_cast(tf.round(resized), tf.uint8)

    def _first_intact(self, first: Iterable[tuple[str, bytes]]) -> tuple[str, tuple[int, ...]]:
        found: dict[int, str] = {}
        for place, (name, content) in enumerate(first):
            try:
                return name, tuple(self._one(content).shape)
            except UnreadableImageError as unreadable:
                found[place] = f"{name} {unreadable}"
        raise DamagedSamplesError(found)

    def _require_shape(self, shape: tuple[int, ...], *, name: str) -> None:
        if shape != self.shape:
            raise bad_data(
                f"{name} is {_in_words(shape)}, but {self._first_name} is {_in_words(self.shape)}: all images must be of one "
                "size. Set spec.data.image, and they are brought to it."
            )


def _in_words(shape: tuple[int, ...]) -> str:
    height, width, channels = shape
    return f"{height} x {width} pixels (height x width) with {channels} channel{'s' if channels > 1 else ''}"
