"""WebP images: the first frame of an animation as an image of its own.

TensorFlow 2.21 writes beyond its memory when an animation's frames are opaque, so none is ever given to it.
Format: https://developers.google.com/speed/webp/docs/riff_container.
"""

import struct
from collections.abc import Iterator

from trainingrun_trainer.data.canvas import Canvas

_ANIMATED, _ALPHA = 0x02, 0x10
_CANVAS_END = 30
_FRAME_HEADER = 16


def still(content: bytes) -> tuple[bytes, Canvas | None]:
    """The image; of an animation its first frame as an image, and where that lies.

    Raises ValueError when it ends before its first frame.
    """
    if content[12:16] != b"VP8X" or len(content) <= _CANVAS_END or not content[20] & _ANIMATED:
        return content, None
    begin, end = next(((at, end) for name, at, end in chunks(content) if name == b"ANMF"), (0, 0))
    if end == 0 or end > len(content):
        raise ValueError("it ends before its first frame")
    frame = content[begin:end]
    inside = frame[_FRAME_HEADER:]
    alpha = _ALPHA if inside[:4] == b"ALPH" else 0
    header = struct.pack("<4sII", b"VP8X", 10, alpha) + frame[6:12]
    # A frame's own chunks are those of an image; only one with a separate alpha channel needs the longer header.
    body = b"WEBP" + (header if alpha else b"") + inside
    canvas = Canvas(_three(content, 24) + 1, _three(content, 27) + 1, 2 * _three(frame, 0), 2 * _three(frame, 3))
    return struct.pack("<4sI", b"RIFF", len(body)) + body, canvas


def chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, begin and end of each chunk's data."""
    at = 12
    while at + 8 <= len(content):
        name, length = struct.unpack_from("<4sI", content, at)
        yield name, at + 8, at + 8 + length
        at += 8 + length + length % 2


def _three(content: bytes, at: int) -> int:
    """A number of three bytes."""
    return int.from_bytes(content[at : at + 3], "little")
