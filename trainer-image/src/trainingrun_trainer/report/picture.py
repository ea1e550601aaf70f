"""Small pictures inside the page: reduced, and written as PNG, which needs no library."""

import base64
import struct
import zlib

import numpy as np

from trainingrun_trainer.report.values import Image

LARGEST_SIDE = 64
"""Pixels. An image of noise, the worst case, then takes 17 kB of the page."""


def data_uri(image: Image) -> str:
    """The picture as a `data:` URI."""
    return "data:image/png;base64," + base64.b64encode(png(reduced(image))).decode()


def reduced(image: Image, *, side: int = LARGEST_SIDE) -> Image:
    """[height, width, 1 or 3] with no side longer than `side`: squares of pixels become their mean."""
    pixels = image[..., None] if image.ndim == 2 else image
    step = -(-max(pixels.shape[:2]) // side)
    if step == 1:
        return pixels
    rows, columns = (np.arange(0, length, step) for length in pixels.shape[:2])
    sums = np.add.reduceat(np.add.reduceat(pixels.astype(np.float64), rows, axis=0), columns, axis=1)
    heights, widths = (
        np.diff(np.append(starts, length)) for starts, length in zip((rows, columns), pixels.shape[:2], strict=True)
    )
    means: Image = np.rint(sums / (heights[:, None, None] * widths[:, None])).astype(np.uint8)
    return means


def png(pixels: Image) -> bytes:
    """[height, width, 1] as a grey PNG, [height, width, 3] as a coloured one (W3C PNG, third edition, section 11)."""
    height, width, channels = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2}[channels], 0, 0, 0)
    lines = b"".join(b"\0" + row.tobytes() for row in pixels)
    chunks = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(lines, 9)) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
