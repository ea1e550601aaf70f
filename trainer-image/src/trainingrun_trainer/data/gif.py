"""GIF images: the first frame with its transparent parts in white, which TensorFlow would make black.

Format: https://www.w3.org/Graphics/GIF/spec-gif89a.txt.
"""

import struct

from trainingrun_trainer.data.canvas import Canvas

_EXTENSION, _IMAGE, _CONTROL = 0x21, 0x2C, 0xF9
_WHITE = b"\xff\xff\xff"


def on_white(content: bytes) -> tuple[bytes, Canvas]:
    """The image with its first frame moved to the corner, the transparent colour white and opaque; and where that frame lay.

    Raises ValueError when it ends before its first frame.
    """
    made = bytearray(content)
    try:
        flags = content[10]
        colours, at = 13, 13 + _table_bytes(flags)
        transparent = None
        while content[at] == _EXTENSION:
            if content[at + 1] == _CONTROL and content[at + 3] & 1:
                transparent = content[at + 6]
                made[at + 3] &= 0xFE
            at += 2
            while content[at]:
                at += 1 + content[at]
            at += 1
        if content[at] != _IMAGE:
            raise ValueError("it has no frame")
        canvas = Canvas(*struct.unpack_from("<2H", content, 6), *struct.unpack_from("<2H", content, at + 1))
        made[at + 1 : at + 5] = bytes(4)
        own = content[at + 9]
    except (IndexError, struct.error) as short:
        raise ValueError("it ends before its first frame") from short
    if _table_bytes(own):
        colours, flags = at + 10, own
    if transparent is not None and 3 * transparent < _table_bytes(flags):
        made[colours + 3 * transparent : colours + 3 * transparent + 3] = _WHITE
    return bytes(made), canvas


def _table_bytes(flags: int) -> int:
    """Size of the colour table that these flags announce."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0
