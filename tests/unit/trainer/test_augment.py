"""Each change of the images against a plain NumPy warp and against Keras, and the ranges that it draws from."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tf_keras.src.preprocessing import image as keras_image

from trainingrun.api import Augmentation, FillMode
from trainingrun_trainer.data.augment import DRAWS, draw, random_matrices, warp

HEIGHT, WIDTH = 12, 10

SHAPES = {"grey": (HEIGHT, WIDTH, 1), "colour": (HEIGHT, WIDTH, 3), "wide": (5, 17, 3), "one pixel": (1, 1, 1)}

PADDING: dict[FillMode, Any] = {
    FillMode.NEAREST: "edge",
    FillMode.CONSTANT: "constant",
    FillMode.REFLECT: "symmetric",
    FillMode.WRAP: "wrap",
}
"""NumPy's names of what lies beyond an image."""


def images(shape: tuple[int, ...] = (HEIGHT, WIDTH, 2), count: int = 4) -> Any:
    return np.random.default_rng(3).random((count, *shape)).astype(np.float32)


def draws(count: int, *, key: int = 5, first: int = 0) -> Any:
    return draw(tf.constant(count), key=tf.constant(key, tf.uint64), first=tf.constant(first, tf.int64))


def augment(batch: Any, settings: Augmentation, *, key: int = 5) -> Any:
    height, width = batch.shape[1:3]
    matrices = random_matrices(settings, draws=draws(len(batch), key=key), height=height, width=width)
    return warp(tf.constant(batch), matrices, fill=settings.fill_mode).numpy()


def plain_warp(image: Any, matrix: Any, *, fill: FillMode) -> Any:
    """Bilinear interpolation, pixel by pixel, on an image that NumPy has padded far out."""
    height, width = image.shape[:2]
    margin = 4 * max(height, width)
    padded = np.pad(image, ((margin, margin), (margin, margin), (0, 0)), mode=PADDING[fill])
    result = np.zeros_like(image)
    for y in range(height):
        for x in range(width):
            across, down, _ = matrix @ np.array([x, y, 1.0]) + margin
            left, top = int(np.floor(across)), int(np.floor(down))
            square = padded[top : top + 2, left : left + 2]
            upper, lower = square[:, 0] * (1 - across + left) + square[:, 1] * (across - left)
            result[y, x] = upper * (1 - down + top) + lower * (down - top)
    return result


CHANGES: dict[str, Augmentation] = {
    "rotation": Augmentation(rotation_degrees=20),
    "width shift": Augmentation(width_shift=0.2),
    "height shift": Augmentation(height_shift=0.3),
    "shear": Augmentation(shear_degrees=11),
    "zoom": Augmentation(zoom=0.2),
    "crop": Augmentation(crop=0.2),
    "flip": Augmentation(horizontal_flip=True),
}
ALL = Augmentation(
    rotation_degrees=20,
    width_shift=0.2,
    height_shift=0.3,
    shear_degrees=11,
    zoom=0.2,
    crop=0.1,
    horizontal_flip=True,
)
STRONG = Augmentation(rotation_degrees=180, width_shift=0.99, height_shift=0.99, shear_degrees=45, zoom=0.9)


def matches(settings: Augmentation, shape: tuple[int, ...], *, fill: FillMode) -> None:
    """Check a batch against the plain loop."""
    batch = images(shape)
    matrices = random_matrices(settings, draws=draws(4), height=shape[0], width=shape[1])
    warped = augment(batch, settings.model_copy(update={"fill_mode": fill}))
    for image, matrix, result in zip(batch, matrices.numpy(), warped, strict=True):
        np.testing.assert_allclose(result, plain_warp(image, matrix, fill=fill), atol=2e-4)


@pytest.mark.parametrize("fill", FillMode)
@pytest.mark.parametrize("settings", CHANGES.values(), ids=CHANGES)
def test_the_batch_is_warped_as_a_plain_loop_would(settings: Augmentation, fill: FillMode) -> None:
    matches(settings, (HEIGHT, WIDTH, 2), fill=fill)


@pytest.mark.parametrize("fill", FillMode)
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("settings", [ALL, STRONG], ids=["all", "strong"])
def test_all_changes_at_once_do_so_too_for_images_of_any_size(
    settings: Augmentation, shape: tuple[int, ...], fill: FillMode
) -> None:
    matches(settings, shape, fill=fill)


def drawn(settings: Augmentation, count: int = 4000) -> Any:
    """Matrices about the centre of the image."""
    matrices = random_matrices(settings, draws=draws(count), height=HEIGHT, width=WIDTH)
    centre = np.array([[1, 0, (WIDTH - 1) / 2], [0, 1, (HEIGHT - 1) / 2], [0, 0, 1]])
    return np.linalg.inv(centre) @ matrices.numpy().astype(np.float64) @ centre


def taken_apart(matrices: Any) -> dict[str, Any]:
    """The parameters, by Keras' names, of matrices about the centre that mirror nothing; x is across and y is down.

    Keras multiplies rotation, shift, shear and zoom in this order: the first column shows rotation and zoom across, what
    the second one is without the rotation shows shear and zoom down, and the third one without it is the shift.
    """
    theta = np.arctan2(matrices[:, 1, 0], matrices[:, 0, 0])
    back = np.stack([[np.cos(theta), np.sin(theta)], [-np.sin(theta), np.cos(theta)]]).transpose(2, 0, 1)
    down = np.einsum("nij,nj->ni", back, matrices[:, :2, 1])
    shift = np.einsum("nij,nj->ni", back, matrices[:, :2, 2])
    return {
        "theta": np.degrees(theta),
        "tx": shift[:, 0],
        "ty": shift[:, 1],
        "shear": np.degrees(np.arctan2(-down[:, 0], down[:, 1])),
        "zx": np.hypot(matrices[:, 0, 0], matrices[:, 1, 0]),
        "zy": np.hypot(down[:, 0], down[:, 1]),
    }


RANGES: dict[str, tuple[Augmentation, str, float, float]] = {
    "rotation": (CHANGES["rotation"], "theta", 0, 20.0),
    "width shift": (CHANGES["width shift"], "tx", 0, 0.2 * WIDTH),
    "height shift": (CHANGES["height shift"], "ty", 0, 0.3 * HEIGHT),
    "shear": (CHANGES["shear"], "shear", 0, 11.0),
    "zoom across": (CHANGES["zoom"], "zx", 1, 0.2),
    "zoom down": (CHANGES["zoom"], "zy", 1, 0.2),
}
TOGETHER = ALL.model_copy(update={"crop": 0.0, "horizontal_flip": False})


@pytest.mark.parametrize(("settings", "name", "middle", "limit"), RANGES.values(), ids=RANGES)
@pytest.mark.parametrize("together", [False, True], ids=["alone", "together"])
def test_a_change_draws_from_its_whole_range_and_not_beyond(
    settings: Augmentation, name: str, middle: float, limit: float, together: bool
) -> None:
    values = taken_apart(drawn(TOGETHER if together else settings))[name] - middle
    assert -limit - 1e-3 <= values.min() <= -0.95 * limit
    assert 0.95 * limit <= values.max() <= limit + 1e-3


class Recorder:
    """Stands in for SciPy, which Keras would let draw, and keeps what it is asked for."""

    def __init__(self) -> None:
        self.matrix = np.eye(3)

    @property
    def interpolation(self) -> "Recorder":
        return self

    def affine_transform(self, channel: Any, matrix: Any, offset: Any, **_: Any) -> Any:
        self.matrix[:2, :2], self.matrix[:2, 2] = matrix, offset
        return channel


ALONE = list(CHANGES)[:5]


@pytest.mark.parametrize("settings", [*(CHANGES[name] for name in ALONE), TOGETHER], ids=[*ALONE, "together"])
def test_a_matrix_is_the_one_that_keras_makes_of_the_same_parameters(
    monkeypatch: pytest.MonkeyPatch, settings: Augmentation
) -> None:
    scipy = Recorder()
    monkeypatch.setattr(keras_image, "scipy", scipy, raising=False)
    monkeypatch.setattr(keras_image, "ndimage", scipy, raising=False)
    matrices = drawn(settings, count=5)
    parameters = taken_apart(matrices)
    for index, matrix in enumerate(matrices):
        given = {name: float(values[index]) for name, values in parameters.items()}
        # The centre of an image of one pixel is at 0, and Keras mistakes the centre of an image that is not square.
        keras_image.apply_affine_transform(np.zeros((1, 1, 1)), row_axis=0, col_axis=1, channel_axis=2, **given)
        rows_first = matrix[[1, 0, 2]][:, [1, 0, 2]]
        np.testing.assert_allclose(scipy.matrix, rows_first, atol=1e-4)


def test_keras_draws_from_the_same_ranges() -> None:
    generator = keras_image.ImageDataGenerator(
        rotation_range=20, width_shift_range=0.2, height_shift_range=0.3, shear_range=11, zoom_range=0.2
    )
    draws = [generator.get_random_transform((HEIGHT, WIDTH, 1), seed=seed) for seed in range(2000)]
    ours = taken_apart(drawn(TOGETHER))
    ours |= {"tx": ours["ty"], "ty": ours["tx"]}  # where Keras draws, x is down; where it draws an image, x is across
    for name, values in ours.items():
        theirs = [draw[name] for draw in draws]
        assert (min(theirs), max(theirs)) == pytest.approx((values.min(), values.max()), rel=0.02), name


def test_the_centre_stays_where_it_is_in_an_image_that_is_not_square() -> None:
    matrices = random_matrices(CHANGES["rotation"], draws=draws(5), height=HEIGHT, width=WIDTH).numpy()
    centre = np.array([(WIDTH - 1) / 2, (HEIGHT - 1) / 2, 1])
    np.testing.assert_allclose(matrices @ centre, np.tile(centre, (5, 1)), atol=1e-5)


def test_half_of_the_images_are_mirrored() -> None:
    mirrored = (drawn(CHANGES["flip"])[:, 0, 0] < 0).mean()
    assert 0.45 < mirrored < 0.55


def test_a_mirrored_image_is_the_image_from_right_to_left() -> None:
    """Keras mirrors what it has warped, so the mirror acts on the result."""
    batch, settings = images(count=16), CHANGES["flip"]
    result = augment(batch, settings)
    mirrored = drawn(settings, count=16)[:, 0, 0] < 0
    np.testing.assert_allclose(result, np.where(mirrored[:, None, None, None], batch[:, :, ::-1], batch), atol=1e-5)


def test_a_crop_shows_parts_from_everywhere_in_the_image_but_nothing_beyond() -> None:
    matrices = drawn(CHANGES["crop"])
    np.testing.assert_allclose(matrices[:, [0, 1], [0, 1]], 0.8, atol=1e-5)
    for axis, size in enumerate((WIDTH, HEIGHT)):
        edges = np.abs(matrices[:, axis, 2]) + 0.8 * size / 2
        assert 0.99 * size / 2 <= edges.max() <= size / 2 + 1e-4


def test_nothing_asked_for_changes_nothing() -> None:
    np.testing.assert_allclose(augment(images(), Augmentation()), images(), atol=1e-6)


def test_an_image_is_changed_alike_however_many_are_drawn_with_it() -> None:
    parts = [draws(7), draws(50, first=7), draws(43, first=57)]
    assert (np.concatenate([part.numpy() for part in parts]) == draws(100).numpy()).all()
    assert len(np.unique(draws(100).numpy())) > 0.98 * 100 * DRAWS


def test_the_same_seed_gives_the_same_images_and_another_seed_others() -> None:
    one, two = (augment(images(), ALL) for _ in range(2))
    other = augment(images(), ALL, key=6)
    assert (one == two).all()
    assert (one != other).any()


def test_images_of_one_batch_are_changed_apart_from_each_other() -> None:
    batch = np.repeat(images(count=1), 5, axis=0)
    result = augment(batch, ALL)
    assert len({image.tobytes() for image in result}) == 5


@pytest.mark.parametrize(
    ("fill", "expected"),
    [
        (FillMode.NEAREST, [1, 1, 1, 2]),
        (FillMode.CONSTANT, [0, 0, 1, 2]),
        (FillMode.REFLECT, [2, 1, 1, 2]),
        (FillMode.WRAP, [3, 4, 1, 2]),
    ],
)
def test_gaps_are_filled_as_asked(fill: FillMode, expected: list[float]) -> None:
    row = tf.constant([[[[1.0], [2.0], [3.0], [4.0]]]])
    shift = tf.constant([[[1.0, 0.0, -2.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]])
    assert warp(row, shift, fill=fill).numpy().ravel().tolist() == expected
