"""Affine maps of the plane, many at once: each number may be a vector, with one entry per map.

Their product number by number is a few operations on vectors, where `tf.matmul` goes through thousands of tiny matrices.
"""

from typing import Any, NamedTuple

import tensorflow as tf

Tensor = Any
Number = Any
"""A float, or a tensor [n]."""


class Affine(NamedTuple):
    """(x, y) becomes (xx x + xy y + x, yx x + yy y + y): rows of a matrix, then what is added."""

    xx: Number = 1.0
    xy: Number = 0.0
    x: Number = 0.0
    yx: Number = 0.0
    yy: Number = 1.0
    y: Number = 0.0

    def of(self, inner: "Affine") -> "Affine":
        """The map that does `inner` first."""
        return Affine(
            xx=self.xx * inner.xx + self.xy * inner.yx,
            xy=self.xx * inner.xy + self.xy * inner.yy,
            x=self.xx * inner.x + self.xy * inner.y + self.x,
            yx=self.yx * inner.xx + self.yy * inner.yx,
            yy=self.yx * inner.xy + self.yy * inner.yy,
            y=self.yx * inner.x + self.yy * inner.y + self.y,
        )

    def matrices(self, count: Tensor) -> Tensor:
        """As matrices [count, 3, 3]."""
        entries = [*self, 0.0, 0.0, 1.0]
        columns = [tf.broadcast_to(tf.cast(entry, tf.float32), [count]) for entry in entries]
        return tf.reshape(tf.stack(columns, axis=1), [-1, 3, 3])
