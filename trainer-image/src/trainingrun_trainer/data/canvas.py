"""Where the first frame of an animation lies in the picture. NumPy only."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

_MOST_PIXELS = 2**28


class Canvas(NamedTuple):
    """Size of the picture, and the upper left corner of the frame in it."""

    width: int
    height: int
    left: int
    top: int


def place(frame: Pixels, canvas: Canvas) -> Pixels:
    """The picture with this frame; around it nothing: transparent where there is an alpha channel, else white.

    Raises ValueError for a picture that is too large.
    """
    rows, columns, channels = frame.shape
    height, width = max(canvas.height, canvas.top + rows), max(canvas.width, canvas.left + columns)
    if height * width > _MOST_PIXELS:
        raise ValueError(f"its picture of {width} x {height} pixels is too large")
    whole = np.full((height, width, channels), 255 if channels == 3 else 0, np.uint8)
    whole[canvas.top : canvas.top + rows, canvas.left : canvas.left + columns] = frame
    return whole
