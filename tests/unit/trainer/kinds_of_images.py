"""Small images of the kinds that people have: those that TensorFlow cannot write are bytes here, the rest is put together."""

import base64
import struct

import numpy as np
import tensorflow as tf

from tests.unit.trainer.writing import Pixels

HEIGHT, WIDTH = 4, 6
_ROWS, _COLUMNS = np.mgrid[0:HEIGHT, 0:WIDTH]
COLOURS: Pixels = np.stack([_COLUMNS * 40, _ROWS * 60, 255 - _COLUMNS * 20 - _ROWS * 10], axis=-1).astype(np.uint8)
"""What all of them show: no two pixels alike."""
ALPHA: Pixels = np.repeat(np.array([[0, 0, 128, 255, 255, 255]], np.uint8), HEIGHT, axis=0)[..., np.newaxis]
"""Two columns hidden, one half hidden."""

CMYK_JPEG = base64.b64decode(
    "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwACAQEBAQECAQEBAgICAgIEAwICAgIFBAQDBAYFBgYGBQYGBgcJCAYHCQcGBggLCAkKCgoKCgYICwwLCg"
    "wJCgoK/8AAFAgABAAGBEMRAE0RAFkRAEsRAP/EAB8AAAEFAQEBAQEBAAAAAAAAAAABAgMEBQYHCAkKC//EALUQAAIBAwMCBAMFBQQEAAABfQEC"
    "AwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHwJDNicoIJChYXGBkaJSYnKCkqNDU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dX"
    "Z3eHl6g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV1tfY2drh4uPk5ebn6Onq8fLz9PX29/j5+v/aAA4E"
    "QwBNAFkASwAAPwCn/wAG4n/JAX/7Bcf/AKElbn/Dkn/gnn/0SD/yJH/8br6o/wCCj3xJ8W/8J+v/ABMP+Xpux9D71+/lf//Z"
)
"""In printing colours."""
LOSSY_WEBP = base64.b64decode(
    "UklGRmwAAABXRUJQVlA4IGAAAADQAwCdASoGAAQAAMASJbACdLcAowFqAfwD1AP0AywDyAAYG1Y4TAAA/virR/+LeEtBTwXw//qNPdfcGReINm"
    "x83zY4N+cPt2ttSQ+RXcKExd/5DH83zOd3X+PqnM+gAAA="
)
"""Opaque, almost as it was."""
ALPHA_WEBP = base64.b64decode("UklGRjQAAABXRUJQVlA4TCgAAAAvBcAAELkKRPQ/doUoRPQ/IBBIAtufbYRBOfY/gaSNS/5HTya6JhIG")
"""With `ALPHA`, nothing lost."""
ANIMATED_WEBP = base64.b64decode(
    "UklGRt4AAABXRUJQVlA4WAoAAAACAAAABQAAAwAAQU5JTQYAAAAAAAAAAABBTk1GUgAAAAAAAAAAAAUAAAMAAGQAAAJWUDhMOgAAAC8FwAAAv0"
    "CQbTOwItyf6QiDIiRIuv+3Up3/IuQAsHkOUNi2kZo6vmeGiP4HSCjjoMY6L1lq67Hnvj9BTk1GWAAAAAAAAAAAAAUAAAMAAGQAAABWUDhMPwAA"
    "AC8FwAAAv0CQbSNWg92f6QgCgRSHs8FCgqQ729Hk+S9CHwBWngMUtm2kpo7vmSGi//F3z85vtWR0Z42KZ5QgAAA="
)
"""Two opaque frames, the second one inverted."""
TURNED_WEBP = base64.b64decode(
    "UklGRmQAAABXRUJQVlA4WAoAAAAIAAAABQAAAwAAVlA4TCMAAAAvBcAAALmM6H/sClGI6H9AIdsI0IGdv9iPMCjH/o8JgEjJAQBFWElGGgAAAE"
    "1NACoAAAAIAAEBEgADAAAAAQAGAAAAAAAA"
)
"""To be turned to the right (orientation 6)."""


NUMBERS: Pixels = np.arange(HEIGHT * WIDTH, dtype=np.uint8).reshape(HEIGHT, WIDTH)
PALETTE: list[tuple[int, int, int]] = [(red, green, blue) for red, green, blue in COLOURS.reshape(-1, 3).tolist()]
"""The same as numbers of colours."""


def exif(orientation: int, *, order: str = ">") -> bytes:
    """A TIFF block with nothing but the orientation."""
    start = b"MM\0*" if order == ">" else b"II*\0"
    return start + struct.pack(f"{order}IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def jpeg(pixels: Pixels, *, orientation: int = 0, order: str = ">") -> bytes:
    """A JPEG, with EXIF behind the first segment if an orientation is given."""
    encoded: bytes = tf.io.encode_jpeg(pixels, quality=100, chroma_downsampling=False).numpy()
    if orientation == 0:
        return encoded
    (length,) = struct.unpack_from(">H", encoded, 4)
    block = b"Exif\0\0" + exif(orientation, order=order)
    return encoded[: 4 + length] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + encoded[4 + length :]


def gif(numbers: Pixels, palette: list[tuple[int, int, int]], *, transparent: int | None = None, canvas: int = 0) -> bytes:
    """A GIF of at most 100 pixels, each the number of a colour; the picture is so many pixels larger to the right and below."""
    height, width = numbers.shape
    table = np.zeros((128, 3), np.uint8)
    table[: len(palette)] = palette
    control = b"" if transparent is None else b"\x21\xf9\x04\x01\0\0" + bytes([transparent, 0])
    codes = bytes([128, *numbers.ravel().tolist(), 129])
    return (
        b"GIF89a"
        + struct.pack("<HHBBB", width + canvas, height + canvas, 0xF6, 0, 0)
        + table.tobytes()
        + control
        + b"\x2c"
        + struct.pack("<HHHHB", 0, 0, width, height, 0)
        + b"\x07"
        + bytes([len(codes)])
        + codes
        + b"\0\x3b"
    )


def bmp(rows: list[bytes], *, width: int, bits: int, palette: bytes = b"", compression: int = 0, masks: bytes = b"") -> bytes:
    """A BMP with these rows, the lowest first, each padded to whole words."""
    header = 40 + len(masks)
    body = b"".join(row + bytes(-len(row) % 4) for row in rows)
    offset = 14 + header + len(palette)
    about = struct.pack("<IiiHHIIiiII", header, width, len(rows), 1, bits, compression, len(body), 0, 0, len(palette) // 4, 0)
    return b"BM" + struct.pack("<IHHI", offset + len(body), 0, 0, offset) + about + masks + palette + body
