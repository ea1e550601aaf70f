"""BMP images, whose palettes TensorFlow takes for grey. NumPy only.

Format: https://learn.microsoft.com/windows/win32/gdi/bitmap-storage; rows of whole 32-bit words, the lowest one first.
"""

import struct

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

_RGB, _BITFIELDS = 0, 3
_USUAL_MASKS = (0xFF0000, 0xFF00, 0xFF)
_MOST_PIXELS = 2**30


def read(content: bytes) -> Pixels:
    """Pixels [height, width, channels]: 3, 1 where the palette is grey, or 4 where the file says that the last one is alpha.

    Raises ValueError for what is damaged, and for the compressed kinds, which hardly anything writes.
    """
    try:
        offset, header, width, height, bits, compression = _header(content)
    except struct.error as short:
        raise ValueError("it ends within its header") from short
    if bits not in (1, 4, 8, 24, 32) or compression not in (_RGB, _BITFIELDS) or (compression == _BITFIELDS and bits != 32):
        raise ValueError(f"it is a BMP image of a rare kind ({bits} bits per pixel, compression {compression})")
    rows, stride = abs(height), (width * bits + 31) // 32 * 4
    if width < 1 or rows < 1 or rows * width > _MOST_PIXELS or len(content) < offset + rows * stride:
        raise ValueError(f"it should have {width} x {rows} pixels, but ends before")
    table = np.frombuffer(content, np.uint8, rows * stride, offset).reshape(rows, stride)
    pixels = (
        _indexed(content, table, width, bits=bits, header=header, offset=offset) if bits <= 8 else _direct(table, width, bits)
    )
    if bits == 32 and not _has_alpha(content, header, compression):
        pixels = pixels[..., :3]
    return np.ascontiguousarray(pixels if height < 0 else pixels[::-1])


def _header(content: bytes) -> tuple[int, int, int, int, int, int]:
    """Offset of the pixels, size of the header, width, height (negative: the highest row first), bits, compression."""
    offset, header = struct.unpack_from("<II", content, 10)
    if header == 12:
        width, height, _, bits = struct.unpack_from("<HHHH", content, 18)
        return offset, header, width, height, bits, _RGB
    width, height, _, bits, compression = struct.unpack_from("<iiHHI", content, 18)
    return offset, header, width, height, bits, compression


def _direct(table: Pixels, width: int, bits: int) -> Pixels:
    """Red, green, blue, and the fourth byte where there is one; they are stored blue first."""
    pixels = table[:, : width * bits // 8].reshape(len(table), width, bits // 8)
    return pixels[..., [2, 1, 0, *range(3, bits // 8)]]


def _indexed(content: bytes, table: Pixels, width: int, *, bits: int, header: int, offset: int) -> Pixels:
    """The palette's colours; one channel where all of them are grey."""
    each = 3 if header == 12 else 4
    at = 14 + header
    colours = np.frombuffer(content, np.uint8, min(2**bits, (offset - at) // each) * each, at).reshape(-1, each)[:, 2::-1]
    values = np.unpackbits(table, axis=1).reshape(len(table), -1, bits)
    numbers = np.packbits(values, axis=2, bitorder="big")[:, :width, 0] >> (8 - bits)
    if len(colours) == 0 or numbers.max() >= len(colours):
        raise ValueError("its palette lacks colours that it uses")
    is_grey = bool((colours == colours[:, :1]).all())
    return np.asarray((colours[:, :1] if is_grey else colours)[numbers])


def _has_alpha(content: bytes, header: int, compression: int) -> bool:
    """Whether the fourth byte is alpha: only newer headers can say so, and elsewhere it is filled with anything.

    Raises ValueError when the colours do not stand where they usually do.
    """
    if compression != _BITFIELDS:
        return False
    red, green, blue, alpha = struct.unpack_from("<IIII", content, 54)
    if (red, green, blue) != _USUAL_MASKS:
        raise ValueError("it is a BMP image of a rare kind, whose colours stand in an unusual order")
    return header >= 56 and alpha == 0xFF000000
