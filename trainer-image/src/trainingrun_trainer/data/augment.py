"""Random changes of a batch of images as one warp.

All changes of one image are affine, so they are multiplied into one 3x3 matrix per image, and one operation draws the whole
batch: one interpolation instead of one per change. The ranges have the meaning of Keras' `ImageDataGenerator`
(`keras/preprocessing/image.py`: rotation, shift, shear and zoom about the centre, then the flip), but for its two defects
that docs/explanation/augmentation.md names.

A matrix maps the pixel (x, y, 1) of the result to the place in the original that it shows.
"""

import math
from functools import reduce
from typing import Any

import tensorflow as tf

from trainingrun.api import Augmentation, FillMode
from trainingrun_trainer.data.affine import Affine

Tensor = Any

_FILL = {
    FillMode.NEAREST: "NEAREST",
    FillMode.CONSTANT: "CONSTANT",
    FillMode.REFLECT: "REFLECT",
}
"""Modes that TensorFlow draws as they are meant: NumPy's paddings edge, constant (0) and symmetric."""


DRAWS = 12
"""Random numbers of an image: nine are used, and the generator counts in fours."""
_PHILOX = 1
"""`RNG_ALG_PHILOX` of TensorFlow."""


def draw(count: Tensor, *, key: Tensor, first: Tensor) -> Tensor:
    """Numbers [count, DRAWS] from -1 to 1, of the images from `first` on in the endless sequence that `key` (uint64) names.

    An image's numbers depend on its place in the sequence only, not on how many are drawn at once.
    """
    place = tf.cast(first * (DRAWS // 4), tf.uint64)
    uniform = tf.raw_ops.StatelessRandomUniformV2(
        shape=[count, DRAWS], key=tf.reshape(key, [1]), counter=tf.stack([place, tf.zeros_like(place)]), alg=_PHILOX
    )
    return 2.0 * uniform - 1.0


def warp(images: Tensor, matrices: Tensor, *, fill: FillMode) -> Tensor:
    """Draw images [n, height, width, channels] by affine matrices [n, 3, 3], with bilinear interpolation.

    Gaps are filled by `fill`: Nearest with the border's pixels, Constant with 0, Reflect with the image mirrored at its edge,
    Wrap with the image repeated.
    """
    if fill is FillMode.WRAP:
        return _warp_around(images, matrices)
    flat = tf.reshape(matrices, [-1, 9])[:, :8]
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=flat,
        output_shape=tf.shape(images)[1:3],
        interpolation="BILINEAR",
        fill_mode=_FILL[fill],
        fill_value=0.0,
    )


def random_matrices(settings: Augmentation, *, draws: Tensor, height: int, width: int) -> Tensor:
    """Matrices [n, 3, 3] of independent changes, from numbers [n, DRAWS] between -1 and 1."""
    numbers = tf.unstack(draws, axis=1)
    angle = numbers[0] * math.radians(settings.rotation_degrees)
    shift_y = numbers[1] * settings.height_shift * height
    shift_x = numbers[2] * settings.width_shift * width
    shear = numbers[3] * math.radians(settings.shear_degrees)
    zoom_x = 1.0 + numbers[4] * settings.zoom
    zoom_y = 1.0 + numbers[5] * settings.zoom
    flip = tf.where(numbers[6] < 0.0, -1.0, 1.0) if settings.horizontal_flip else tf.ones_like(numbers[6])
    kept = 1.0 - settings.crop
    crop_x = numbers[7] * settings.crop * width / 2
    crop_y = numbers[8] * settings.crop * height / 2
    changes = (
        Affine(x=(width - 1) / 2, y=(height - 1) / 2),  # the centre is where all of them happen
        Affine(xx=kept, x=crop_x, yy=kept, y=crop_y),
        Affine(xx=tf.cos(angle), xy=-tf.sin(angle), yx=tf.sin(angle), yy=tf.cos(angle)),
        Affine(x=shift_x, y=shift_y),
        Affine(xy=-tf.sin(shear), yy=tf.cos(shear)),
        Affine(xx=zoom_x, yy=zoom_y),
        Affine(xx=flip),
        Affine(x=-(width - 1) / 2, y=-(height - 1) / 2),
    )
    return reduce(Affine.of, changes).matrices(tf.shape(draws)[0])


def _warp_around(images: Tensor, matrices: Tensor) -> Tensor:
    """Draw from the endless repetition of each image.

    TensorFlow's own WRAP does not interpolate between the last pixel and the first, and gives one border pixel for whatever
    lies further out than about the image's size.
    """
    height, width, channels = images.shape[1:]
    across, down = tf.meshgrid(tf.range(width, dtype=tf.float32), tf.range(height, dtype=tf.float32))
    pixels = tf.stack([tf.reshape(across, [-1]), tf.reshape(down, [-1]), tf.ones([height * width])])
    places = tf.matmul(matrices[:, :2], tf.broadcast_to(pixels, [tf.shape(images)[0], 3, height * width]))
    corner = tf.floor(places)
    right, low = tf.unstack(places - corner, axis=1)
    x, y = tf.unstack(tf.cast(corner, tf.int32), axis=1)
    flat = tf.reshape(images, [-1, height * width, channels])

    def part(columns: Tensor, rows: Tensor, share: Tensor) -> Tensor:
        positions = tf.math.floormod(rows, height) * width + tf.math.floormod(columns, width)
        return tf.gather(flat, positions, batch_dims=1) * share[..., tf.newaxis]

    upper = part(x, y, (1 - right) * (1 - low)) + part(x + 1, y, right * (1 - low))
    lower = part(x, y + 1, (1 - right) * low) + part(x + 1, y + 1, right * low)
    return tf.reshape(upper + lower, tf.shape(images))
