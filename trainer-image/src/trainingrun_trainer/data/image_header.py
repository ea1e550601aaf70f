"""What the first bytes of an encoded image say about it: its kind, and whether its pixels need care. Pure.

PNG: https://www.w3.org/TR/png-3/. WebP: https://developers.google.com/speed/webp/docs/riff_container. Orientation: the tag
0x0112 of EXIF (CIPA DC-008), which all three of JPEG, PNG and WebP can carry.
"""

import struct
from collections.abc import Iterator
from enum import StrEnum

from trainingrun_trainer.data import webp

PNG_GREY, PNG_COLOURS, PNG_PALETTE, PNG_GREY_ALPHA, PNG_COLOURS_ALPHA = 0, 2, 3, 4, 6
UPRIGHT = 1

_ORIENTATION = 0x0112
_EXIF = b"Exif\0\0"
_MOST_SEGMENTS = 64


class Kind(StrEnum):
    """What is read."""

    PNG = "PNG"
    JPEG = "JPEG"
    WEBP = "WebP"
    BMP = "BMP"
    GIF = "GIF"


_OTHERS = (
    (b"version https://git-lfs", "a pointer of Git LFS: fetch the files with git lfs pull"),
    (b"/annex/objects/", "a pointer of git-annex: fetch the files with git annex get"),
    (b"<!doc", "a web page: the download has failed"),
    (b"<html", "a web page: the download has failed"),
    (b"<?xml", "an XML file, such as an SVG image"),
    (b"<svg", "an SVG image"),
    (b"II*\0", "a TIFF image"),
    (b"MM\0*", "a TIFF image"),
    (b"%PDF", "a PDF file"),
    (b"8BPS", "a Photoshop image"),
    (b"\xff\x0a", "a JPEG XL image"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL image"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 image"),
    (b"\0\0\x01\0", "an icon"),
)
_BRANDS = {b"avif": "an AVIF image", b"avis": "an AVIF image", b"heic": "an HEIC image", b"heix": "an HEIC image"}


def kind_of(content: bytes) -> Kind | None:
    """What an image is, whatever its file is called; None for what cannot be read."""
    if content.startswith(b"\xff\xd8\xff"):
        return Kind.JPEG
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return Kind.PNG
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return Kind.WEBP
    if content[:6] in (b"GIF87a", b"GIF89a"):
        return Kind.GIF
    return Kind.BMP if content[:2] == b"BM" and len(content) > 26 else None


def what_else(content: bytes) -> str:
    """What a file that is none of these seems to be."""
    start = content[:64].lstrip()
    for magic, words in _OTHERS:
        if content.startswith(magic) or start[: len(magic)].lower() == magic:
            return words
    if content[4:8] == b"ftyp" and content[8:12] in _BRANDS:
        return _BRANDS[content[8:12]]
    return "lost: all its bytes are zero" if not any(content) else f"begins with {content[:4].hex()}"


def is_plain(content: bytes) -> bool:
    """Whether its pixels are simply those that a decoder gives: opaque, upright, not a palette of another format."""
    if content.startswith(b"\xff\xd8\xff"):
        return orientation(content) == UPRIGHT
    if not content.startswith(b"\x89PNG\r\n\x1a\n"):
        return content[:4] == b"RIFF" and content[8:16] == b"WEBPVP8 "  # the simple kind, which is opaque
    return not has_transparency(content) and orientation(content) == UPRIGHT


def has_transparency(content: bytes) -> bool:
    """Whether a PNG has an alpha channel, or colours that are transparent."""
    if content[25:26] in (bytes([PNG_GREY_ALPHA]), bytes([PNG_COLOURS_ALPHA])):
        return True
    return any(name == b"tRNS" for name, _, _ in _png_chunks(content))


def orientation(content: bytes) -> int:
    """How the image is turned and mirrored, 1 to 8 as EXIF has it; 1 where nothing valid is said."""
    try:
        match kind_of(content):
            case Kind.JPEG:
                return _tagged(_jpeg_exif(content))
            case Kind.PNG:
                return _tagged(next((content[at:end] for name, at, end in _png_chunks(content) if name == b"eXIf"), b""))
            case Kind.WEBP:
                exif = next((content[at:end] for name, at, end in webp.chunks(content) if name == b"EXIF"), b"")
                return _tagged(exif.removeprefix(_EXIF))
            case _:
                return UPRIGHT
    except (struct.error, IndexError):  # it ends too early
        return UPRIGHT


def _jpeg_exif(content: bytes) -> bytes:
    """The TIFF block of the first EXIF segment, which stands before the picture; empty without one."""
    at = 2
    for _ in range(_MOST_SEGMENTS):
        if content[at : at + 1] != b"\xff":
            break
        marker = content[at + 1]
        if marker == 0xFF:  # fill
            at += 1
            continue
        (length,) = struct.unpack_from(">H", content, at + 2)
        if marker == 0xE1 and content[at + 4 : at + 10] == _EXIF:
            return content[at + 10 : at + 2 + length]
        if marker in (0xDA, 0xD9) or length < 2:  # the picture begins
            break
        at += 2 + length
    return b""


def _png_chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, begin and end of each chunk's data."""
    at = 8
    while at + 8 <= len(content):
        length, name = struct.unpack_from(">I4s", content, at)
        yield name, at + 8, at + 8 + length
        at += 12 + length


def _tagged(tiff: bytes) -> int:
    """The orientation in a TIFF block; raises struct.error when it ends too early."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return UPRIGHT
    (start,) = struct.unpack_from(f"{order}I", tiff, 4)
    (entries,) = struct.unpack_from(f"{order}H", tiff, start)
    for entry in range(entries):
        tag, _, _, value = struct.unpack_from(f"{order}HHIH", tiff, start + 2 + 12 * entry)
        if tag == _ORIENTATION:
            return int(value) if 1 <= value <= 8 else UPRIGHT
    return UPRIGHT
