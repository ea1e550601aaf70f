"""Images of every kind become the pixels that a person sees, and whatever is wrong with one is told in a clause."""

import struct

import numpy as np
import pytest

from tests.png import png
from tests.unit.trainer import kinds_of_images as kinds
from tests.unit.trainer.kinds_of_images import ALPHA, COLOURS, HEIGHT, NUMBERS, PALETTE, WIDTH, bmp, exif, gif, jpeg
from tests.unit.trainer.writing import Pixels
from trainingrun.api import ImageSize
from trainingrun_trainer.data.image_header import is_plain, kind_of, orientation
from trainingrun_trainer.data.images import ImageDecoder
from trainingrun_trainer.data.one_image import UnreadableImageError, decode
from trainingrun_trainer.errors import TrainerError

GREY = COLOURS[..., :1]
ON_WHITE = np.rint(COLOURS * (ALPHA / 255) + 255 * (1 - ALPHA / 255)).astype(np.uint8)
GREY_ON_WHITE = np.rint(GREY * (ALPHA / 255) + 255 * (1 - ALPHA / 255)).astype(np.uint8)
FIRST_WHITE = COLOURS.copy()
FIRST_WHITE[0, 0] = 255
PLTE = (b"PLTE", COLOURS.tobytes())
BLUE_FIRST = [row.tobytes() for row in COLOURS[::-1, :, ::-1]]
BMP_PALETTE = b"".join(bytes([blue, green, red, 0]) for red, green, blue in PALETTE)
MASKS = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
WITH_FOURTH = [
    np.concatenate([row[:, ::-1], alpha], axis=1).tobytes() for row, alpha in zip(COLOURS[::-1], ALPHA[::-1], strict=True)
]
LARGER = np.pad(FIRST_WHITE, ((0, 2), (0, 2), (0, 0)), constant_values=255)

COLOURED: dict[str, tuple[bytes, Pixels]] = {
    "PNG": (png(COLOURS, colour=2), COLOURS),
    "PNG of 16 bits": (png(np.repeat(COLOURS, 2, axis=2), colour=2, bits=16), COLOURS),
    "PNG with a palette": (png(NUMBERS, PLTE, colour=3), COLOURS),
    "PNG with alpha": (png(np.concatenate([COLOURS, ALPHA], axis=2), colour=6), ON_WHITE),
    "opaque PNG with alpha": (png(np.concatenate([COLOURS, ALPHA * 0 + 255], axis=2), colour=6), COLOURS),
    "PNG with a transparent entry of its palette": (png(NUMBERS, PLTE, (b"tRNS", b"\0"), colour=3), FIRST_WHITE),
    "PNG with a transparent colour": (png(COLOURS, (b"tRNS", struct.pack(">3H", *PALETTE[0])), colour=2), FIRST_WHITE),
    "grey PNG with alpha": (
        png(np.concatenate([GREY, ALPHA], axis=2), colour=4),
        np.repeat(GREY_ON_WHITE, 3, axis=2),
    ),
    "GIF": (gif(NUMBERS, PALETTE), COLOURS),
    "GIF with a transparent colour": (gif(NUMBERS, PALETTE, transparent=0), FIRST_WHITE),
    "GIF smaller than its picture": (gif(NUMBERS, PALETTE, transparent=0, canvas=2), LARGER),
    "WebP with alpha": (kinds.ALPHA_WEBP, ON_WHITE),
    "animated WebP": (kinds.ANIMATED_WEBP, COLOURS),
    "WebP that is turned": (kinds.TURNED_WEBP, np.rot90(COLOURS, -1)),
    "BMP": (bmp(BLUE_FIRST, width=WIDTH, bits=24), COLOURS),
    "BMP with a palette": (
        bmp([row.tobytes() for row in NUMBERS[::-1]], width=WIDTH, bits=8, palette=BMP_PALETTE),
        COLOURS,
    ),
    "BMP with a fourth byte that means nothing": (bmp(WITH_FOURTH, width=WIDTH, bits=32), COLOURS),
    "BMP with alpha": (bmp(WITH_FOURTH, width=WIDTH, bits=32, compression=3, masks=MASKS), ON_WHITE),
}


@pytest.mark.parametrize(("content", "pixels"), COLOURED.values(), ids=COLOURED)
def test_an_image_becomes_what_a_person_sees(content: bytes, pixels: Pixels) -> None:
    assert decode(content, channels=3).tolist() == pixels.tolist()


@pytest.mark.parametrize(
    ("content", "most"), [(kinds.LOSSY_WEBP, 60), (kinds.CMYK_JPEG, 12), (jpeg(COLOURS), 10)], ids=["WebP", "CMYK", "JPEG"]
)
def test_what_loses_a_little_is_almost_the_same(content: bytes, most: int) -> None:
    assert np.abs(decode(content, channels=3).astype(int) - COLOURS).max() <= most


@pytest.mark.parametrize("name", [*COLOURED, "CMYK"])
def test_every_kind_can_become_grey(name: str) -> None:
    content, pixels = (kinds.CMYK_JPEG, COLOURS) if name == "CMYK" else COLOURED[name]
    grey = decode(content, channels=1)
    assert grey.shape == (*pixels.shape[:2], 1)
    luma = np.array([0.299, 0.587, 0.114])
    assert np.abs(grey[..., 0] - pixels @ luma).max() <= (12 if name == "CMYK" else 2)


@pytest.mark.parametrize("name", ["PNG", "opaque PNG with alpha", "PNG with a palette", "PNG of 16 bits"])
@pytest.mark.parametrize("channels", [1, 3])
def test_what_was_right_stays_the_same(name: str, channels: int) -> None:
    """As TensorFlow decodes it."""
    content, _ = COLOURED[name]
    size = ImageSize(height=HEIGHT, width=WIDTH, channels=channels)  # type: ignore[arg-type]  # 1 or 3
    decoder = ImageDecoder(size, first=[("a", content)])
    batch = decoder([content], positions=np.array([0]), name=str)
    assert batch[0].tolist() == decoder._plain(content).numpy().tolist()


UPRIGHT = {
    1: COLOURS,
    2: COLOURS[:, ::-1],
    3: np.rot90(COLOURS, 2),
    4: COLOURS[::-1],
    5: COLOURS.transpose(1, 0, 2),
    6: np.rot90(COLOURS, -1),
    7: np.rot90(COLOURS.transpose(1, 0, 2), 2),
    8: np.rot90(COLOURS),
}


@pytest.mark.parametrize("turned", UPRIGHT)
def test_pictures_of_telephones_stand_upright(turned: int) -> None:
    assert decode(png(COLOURS, (b"eXIf", exif(turned)), colour=2), channels=3).tolist() == UPRIGHT[turned].tolist()
    for order in "<>":
        pixels = decode(jpeg(COLOURS, orientation=turned, order=order), channels=3)
        assert pixels.shape == UPRIGHT[turned].shape
        assert np.abs(pixels.astype(int) - UPRIGHT[turned]).max() <= 10


@pytest.mark.parametrize("value", [0, 9, 60000])
def test_an_orientation_that_is_none_turns_nothing(value: int) -> None:
    assert orientation(jpeg(COLOURS, orientation=value)) == 1


@pytest.mark.parametrize("name", ["PNG with alpha", "WebP with alpha", "BMP with alpha"])
def test_without_a_size_an_alpha_channel_is_one_of_the_channels(name: str) -> None:
    assert decode(COLOURED[name][0], channels=0).tolist() == np.concatenate([COLOURS, ALPHA], axis=2).tolist()


@pytest.mark.parametrize("name", ["PNG with a transparent colour", "GIF with a transparent colour"])
def test_a_transparent_colour_is_white_also_without_a_size(name: str) -> None:
    assert decode(COLOURED[name][0], channels=0).tolist() == FIRST_WHITE.tolist()


@pytest.mark.parametrize(
    "content",
    [png(COLOURS, colour=2), png(NUMBERS, PLTE, colour=3), jpeg(COLOURS), kinds.LOSSY_WEBP],
    ids=["PNG", "palette", "JPEG", "WebP"],
)
def test_ordinary_images_are_decoded_many_at_once(content: bytes) -> None:
    assert is_plain(content)


def test_many_kinds_in_one_batch_keep_their_places() -> None:
    contents = [content for content, pixels in COLOURED.values() if pixels.shape == COLOURS.shape]
    expected = [pixels for _, pixels in COLOURED.values() if pixels.shape == COLOURS.shape]
    decoder = ImageDecoder(ImageSize(height=HEIGHT, width=WIDTH, channels=3), first=[("a", contents[0])])
    assert decoder(contents, positions=np.arange(len(contents)), name=str).tolist() == np.stack(expected).tolist()


WRONG = {
    "nothing": (b"", "is empty"),
    "zeros": (bytes(100), "seems to be lost: all its bytes are zero"),
    "a pointer": (b"version https://git-lfs.github.com/spec/v1\n", "seems to be a pointer of Git LFS: fetch the files"),
    "a page": (b"\n<!DOCTYPE html><html>", "seems to be a web page: the download has failed"),
    "a TIFF": (b"II*\0" + bytes(20), "is neither PNG, JPEG, WebP, BMP nor GIF: it seems to be a TIFF image"),
    "a picture of a telephone": (b"\0\0\0\x18ftypheic" + bytes(20), "seems to be an HEIC image"),
    "a text": (b"hello", "begins with 68656c6c"),
    "half a PNG": (png(COLOURS, colour=2)[:-30], "is damaged or truncated: Invalid PNG data"),
    "half a JPEG": (jpeg(COLOURS)[:200], "is damaged or truncated: "),
    "half a GIF": (gif(NUMBERS, PALETTE)[:-20], "is damaged or truncated: "),
    "the start of a GIF": (gif(NUMBERS, PALETTE)[:60], "cannot be read: it ends before its first frame"),
    "half a WebP": (kinds.LOSSY_WEBP[:60], "is damaged or truncated: "),
    "half an animation": (kinds.ANIMATED_WEBP[:70], "cannot be read: it ends before its first frame"),
    "half a BMP": (bmp(BLUE_FIRST, width=WIDTH, bits=24)[:-10], "it should have 6 x 4 pixels, but ends before"),
    "the start of a BMP": (bmp(BLUE_FIRST, width=WIDTH, bits=24)[:30], "it ends within its header"),
    "a compressed BMP": (bmp(BLUE_FIRST, width=WIDTH, bits=8, compression=1), "a rare kind (8 bits per pixel, compression 1)"),
    "a BMP without its colours": (
        bmp([row.tobytes() for row in NUMBERS], width=WIDTH, bits=8, palette=BMP_PALETTE[:8]),
        "its palette lacks colours",
    ),
}


@pytest.mark.parametrize(("content", "words"), WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("channels", [0, 1, 3])
def test_what_is_wrong_with_an_image_is_said(content: bytes, words: str, channels: int) -> None:
    with pytest.raises(UnreadableImageError) as problem:
        decode(content, channels=channels)
    assert words in str(problem.value)


def test_no_damage_is_anything_but_unreadable() -> None:
    draw = np.random.default_rng(7)
    for content in [kinds.CMYK_JPEG, *(content for content, _ in COLOURED.values())]:
        for _ in range(12):
            broken = bytearray(content[: draw.integers(1, len(content) + 1)])
            broken[draw.integers(len(broken))] ^= draw.integers(1, 256)
            is_plain(bytes(broken))
            try:
                decode(bytes(broken), channels=3)
            except UnreadableImageError:
                continue


def test_what_an_image_is_does_not_follow_from_its_name() -> None:
    found = [
        kind_of(content) for content in (png(COLOURS, colour=2), jpeg(COLOURS), kinds.LOSSY_WEBP, b"BM" + bytes(40), b"GIF89a")
    ]
    assert found == ["PNG", "JPEG", "WebP", "BMP", "GIF"]


def test_all_damaged_images_of_a_batch_are_told() -> None:
    decoder = ImageDecoder(None, first=[("0.png", b""), ("1.png", png(COLOURS, colour=2))])
    contents = [b"", png(COLOURS, colour=2), png(COLOURS, colour=2)[:-30], kinds.ANIMATED_WEBP[:70]]
    with pytest.raises(TrainerError) as problem:
        decoder(contents, positions=np.array([7, 3, 5, 1]), name=lambda position: f"{position}.png")
    assert str(problem.value).startswith(
        "3 samples are damaged: 1.png cannot be read: it ends before its first frame; 5.png is dam"
    )


def test_where_no_image_is_intact_the_first_are_told() -> None:
    with pytest.raises(TrainerError, match=r"2 samples are damaged: a is empty; b is neither .* Skip leaves out"):
        ImageDecoder(None, first=[("a", b""), ("b", b"hello")])
