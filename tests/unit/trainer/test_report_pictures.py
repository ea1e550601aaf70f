"""The samples that a report shows as pictures."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.unit.trainer.writing import digits
from trainingrun.api import Augmentation
from trainingrun_trainer.artifacts.predictions import WrongAnswer
from trainingrun_trainer.data.dataset import Dataset
from trainingrun_trainer.data.feed import InMemory
from trainingrun_trainer.report.values import Augmented, Mistake
from trainingrun_trainer.stages.reporting.pictures import SAMPLES, VARIANTS, augmented, mistakes

ANSWERS = (WrongAnswer(3, 1, 0, 0.9), WrongAnswer(0, 0, 2, 0.8))
FLIPPED = Augmentation.model_validate({"horizontalFlip": True})


def a_feed(inputs: NDArray[Any]) -> InMemory:
    return InMemory(Dataset(inputs, np.arange(len(inputs)) % 3, classes=3))


def of(inputs: NDArray[Any], answers: tuple[WrongAnswer, ...] = ANSWERS) -> list[Mistake]:
    return list(mistakes(answers, a_feed(inputs), names=("ant", "bee")))


def changed(inputs: NDArray[Any], settings: Augmentation | None = FLIPPED, *, seed: int = 7) -> list[Augmented]:
    return list(augmented(settings, a_feed(inputs), names=(), seed=seed))


@pytest.mark.parametrize("channels", [1, 3])
def test_mistakes_show_their_own_samples_in_their_order(channels: int) -> None:
    images, _ = digits(5, channels=channels)
    first, second = of(images)
    assert (first.truth, first.predicted, first.probability) == ("bee", "ant", 0.9)
    assert (second.truth, second.predicted) == ("ant", "2")
    np.testing.assert_array_equal(first.image, images[3])
    np.testing.assert_array_equal(second.image, images[0])


@pytest.mark.parametrize(
    ("values", "expected"),
    [([0.0, 0.5, 1.0, 0.25], [0, 128, 255, 64]), ([-1.0, 0.0, 1.0, 3.0], [0, 64, 128, 255]), ([7.0] * 4, [255] * 4)],
    ids=["from 0 to 1", "standardised", "constant"],
)
def test_floats_become_visible(values: list[float], expected: list[int]) -> None:
    image = np.array(values, dtype=np.float32).reshape(2, 2, 1)
    (drawn, _) = of(np.stack([image] * 4))
    assert drawn.image.ravel().tolist() == expected


def test_large_images_are_kept_small() -> None:
    (mistake, _) = of(np.zeros((4, 300, 200, 3), dtype=np.uint8))
    assert mistake.image.shape == (60, 40, 3)


@pytest.mark.parametrize("shape", [(3,), (4, 4, 2)], ids=["features", "two channels"])
def test_what_is_no_image_has_no_pictures(shape: tuple[int, ...]) -> None:
    samples = np.zeros((4, *shape), dtype=np.float32)
    assert of(samples) == []
    assert changed(samples) == []


def test_a_model_without_mistakes_has_no_pictures_of_them() -> None:
    assert of(digits(5)[0], ()) == []


def test_flipped_samples_are_the_original_or_its_mirror_image() -> None:
    images, _ = digits(40)
    shown = changed(images)
    assert len(shown) == SAMPLES
    mirrored = []
    for sample in shown:
        place = next(index for index, image in enumerate(images) if np.array_equal(image, sample.original))
        assert sample.label == str(place % 3)
        assert len(sample.variants) == VARIANTS
        for variant in sample.variants:
            mirrored.append(np.array_equal(variant, sample.original[:, ::-1]))
            assert mirrored[-1] or np.array_equal(variant, sample.original)
    assert 0 < sum(mirrored) < len(mirrored), "some are flipped, some are not"


def test_equal_seeds_show_the_same_samples() -> None:
    images, _ = digits(40)

    def originals(seed: int) -> list[bytes]:
        return [sample.original.tobytes() for sample in changed(images, seed=seed)]

    assert originals(7) == originals(7)
    assert originals(7) != originals(8)


def test_every_variant_of_every_sample_and_seed_is_another_one() -> None:
    alike = np.repeat(digits(1)[0], SAMPLES, axis=0)
    settings = Augmentation.model_validate({"rotationDegrees": "20"})
    shown = [variant.tobytes() for seed in (7, 8) for each in changed(alike, settings, seed=seed) for variant in each.variants]
    assert len(set(shown)) == 2 * SAMPLES * VARIANTS


def test_variants_of_floats_are_drawn_on_the_scale_of_the_original() -> None:
    image = np.zeros((7, 7, 1), dtype=np.float32)
    image[5, 1] = 40.0
    settings = Augmentation.model_validate({"rotationDegrees": "45"})
    shown = changed(np.stack([image] * 3), settings)
    assert [int(sample.original.max()) for sample in shown] == [255] * 3
    assert all(variant.max() < 255 for sample in shown for variant in sample.variants), "a turned point is spread"


def test_a_run_that_does_not_augment_shows_nothing_of_it() -> None:
    assert changed(digits(5)[0], None) == []
