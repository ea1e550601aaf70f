"""Each change of the images against a plain NumPy warp, and the ranges that it draws from."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from trainingrun.api import Augmentation, FillMode
from trainingrun_trainer.data.augment import DRAWS, draw, random_matrices, warp

HEIGHT, WIDTH = 12, 10


def draws(count: int, *, key: int = 5, first: int = 0) -> Any:
    return draw(tf.constant(count), key=tf.constant(key, tf.uint64), first=tf.constant(first, tf.int64))


def augment(settings: Augmentation, *, key: int = 5) -> Any:
    matrices = random_matrices(settings, draws=draws(len(images()), key=key), height=HEIGHT, width=WIDTH)
    return warp(tf.constant(images()), matrices, fill=settings.fill_mode).numpy()


def images(count: int = 4) -> Any:
    return np.random.default_rng(3).random((count, HEIGHT, WIDTH, 2)).astype(np.float32)


def plain_warp(image: Any, matrix: Any) -> Any:
    """Bilinear interpolation pixel by pixel, the nearest pixel outside of the image."""
    result = np.zeros_like(image)
    for y in range(HEIGHT):
        for x in range(WIDTH):
            source = matrix @ np.array([x, y, 1.0])
            result[y, x] = _sample(image, x=source[0], y=source[1])
    return result


def _sample(image: Any, *, x: float, y: float) -> Any:
    x, y = np.clip(x, 0, WIDTH - 1), np.clip(y, 0, HEIGHT - 1)
    left, top = int(np.floor(x)), int(np.floor(y))
    right, bottom = min(left + 1, WIDTH - 1), min(top + 1, HEIGHT - 1)
    across, down = x - left, y - top
    upper = image[top, left] * (1 - across) + image[top, right] * across
    lower = image[bottom, left] * (1 - across) + image[bottom, right] * across
    return upper * (1 - down) + lower * down


CHANGES: dict[str, Augmentation] = {
    "rotation": Augmentation(rotation_degrees="20"),
    "width shift": Augmentation(width_shift="0.2"),
    "height shift": Augmentation(height_shift="0.2"),
    "shear": Augmentation(shear_degrees="11"),
    "zoom": Augmentation(zoom="0.2"),
    "crop": Augmentation(crop="0.2"),
    "flip": Augmentation(horizontal_flip=True),
    "all": Augmentation(
        rotation_degrees="20",
        width_shift="0.2",
        height_shift="0.2",
        shear_degrees="11",
        zoom="0.2",
        crop="0.1",
        horizontal_flip=True,
    ),
}


@pytest.mark.parametrize("settings", CHANGES.values(), ids=CHANGES)
def test_the_batch_is_warped_as_a_plain_loop_would(settings: Augmentation) -> None:
    matrices = random_matrices(settings, draws=draws(4), height=HEIGHT, width=WIDTH)
    warped = augment(settings)
    for image, matrix, result in zip(images(), matrices.numpy(), warped, strict=True):
        np.testing.assert_allclose(result, plain_warp(image, matrix), atol=1e-4)


def drawn(settings: Augmentation, count: int = 4000) -> Any:
    """Matrices about the centre of the image."""
    matrices = random_matrices(settings, draws=draws(count), height=HEIGHT, width=WIDTH).numpy().astype(np.float64)
    centre = np.array([[1, 0, (WIDTH - 1) / 2], [0, 1, (HEIGHT - 1) / 2], [0, 0, 1]])
    return np.linalg.inv(centre) @ matrices @ centre


def spread(values: Any) -> tuple[float, float]:
    return float(values.min()), float(values.max())


@pytest.mark.parametrize(
    ("settings", "measure", "limit"),
    [
        (CHANGES["rotation"], lambda m: np.degrees(np.arctan2(m[:, 0, 1], m[:, 0, 0])), 20.0),
        (CHANGES["width shift"], lambda m: m[:, 0, 2], 0.2 * WIDTH),
        (CHANGES["height shift"], lambda m: m[:, 1, 2], 0.2 * HEIGHT),
        (CHANGES["shear"], lambda m: np.degrees(np.arcsin(-m[:, 1, 0])), 11.0),
        (CHANGES["zoom"], lambda m: m[:, 0, 0] - 1, 0.2),
        (CHANGES["zoom"], lambda m: m[:, 1, 1] - 1, 0.2),
        (CHANGES["crop"], lambda m: m[:, 0, 2], 0.1 * WIDTH),
    ],
    ids=["rotation", "width", "height", "shear", "zoom across", "zoom down", "crop"],
)
def test_a_change_draws_from_its_whole_range_and_not_beyond(settings: Augmentation, measure: Any, limit: float) -> None:
    low, high = spread(measure(drawn(settings)))
    assert -limit - 1e-5 <= low <= -0.95 * limit
    assert 0.95 * limit <= high <= limit + 1e-5


def test_an_image_is_changed_alike_however_many_are_drawn_with_it() -> None:
    parts = [draws(7), draws(50, first=7), draws(43, first=57)]
    assert (np.concatenate([part.numpy() for part in parts]) == draws(100).numpy()).all()
    assert len(np.unique(draws(100).numpy())) > 0.99 * 100 * DRAWS


def test_half_of_the_images_are_mirrored() -> None:
    mirrored = (drawn(CHANGES["flip"])[:, 0, 0] < 0).mean()
    assert 0.45 < mirrored < 0.55


def test_nothing_asked_for_changes_nothing() -> None:
    np.testing.assert_allclose(augment(Augmentation()), images(), atol=1e-6)


def test_the_same_seed_gives_the_same_images_and_another_seed_others() -> None:
    one, two = (augment(CHANGES["all"]) for _ in range(2))
    other = augment(CHANGES["all"], key=6)
    assert (one == two).all()
    assert (one != other).any()


@pytest.mark.parametrize(
    ("fill", "expected"),
    [
        (FillMode.NEAREST, [0, 0, 0, 1]),
        (FillMode.CONSTANT, [0, 0, 0, 1]),
        (FillMode.REFLECT, [1, 0, 0, 1]),
        (FillMode.WRAP, [2, 3, 0, 1]),
    ],
)
def test_gaps_are_filled_as_asked(fill: FillMode, expected: list[float]) -> None:
    row = tf.constant([[[[0.0], [1.0], [2.0], [3.0]]]])
    shift = tf.constant([[[1.0, 0.0, -2.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]])
    assert warp(row, shift, fill=fill).numpy().ravel().tolist() == expected
