"""The few samples that the report shows as pictures: taken one by one, and reduced at once, however large they are."""

from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainingrun.api import Augmentation
from trainingrun_trainer.artifacts.predictions import WrongAnswer
from trainingrun_trainer.context import Context
from trainingrun_trainer.data.augment import draw, random_matrices, warp
from trainingrun_trainer.data.feed import Feed, Split
from trainingrun_trainer.data.raw import raw_samples
from trainingrun_trainer.report.picture import reduced
from trainingrun_trainer.report.values import Augmented, Image, Mistake, Pictures
from trainingrun_trainer.stages.evaluate import judged
from trainingrun_trainer.stages.reporting.finished import Finished

SAMPLES, VARIANTS = 6, 4
_CHANNELS = (1, 3)

Pixels = NDArray[np.float32]
"""[height, width, channels], as in the data."""


def pictures(context: Context, split: Split, *, finished: Finished) -> Pictures:
    """All that the report shows; on rank 0 alone. Raises TrainerError when a sample cannot be read."""
    names, seed = finished.class_names, context.config.training.seed
    _, predictions = finished.shown
    wrong = tuple(mistakes(predictions.mistakes, judged(split), names=names))
    context.progress.part_done()
    return Pictures(wrong, tuple(augmented(context.config.augmentation, split.training, names=names, seed=seed)))


def mistakes(answers: Sequence[WrongAnswer], feed: Feed, *, names: Sequence[str]) -> Iterator[Mistake]:
    """Wrong answers about samples of a feed, in their order; none when they are no grey or coloured images."""
    positions = np.array([answer.position for answer in answers], dtype=np.int64)
    for answer, (pixels, _) in zip(answers, _pictures(feed, positions), strict=False):
        yield Mistake(
            image=_drawn(pixels, like=pixels, feed=feed),
            truth=_name(answer.truth, names),
            predicted=_name(answer.predicted, names),
            probability=answer.probability,
        )


def augmented(settings: Augmentation | None, feed: Feed, *, names: Sequence[str], seed: int) -> Iterator[Augmented]:
    """Some training samples, the same for equal seeds, and what augmentation makes of them; none where it does nothing."""
    if settings is None:
        return
    count = min(SAMPLES, len(feed))
    positions = np.random.default_rng(seed).choice(len(feed), count, replace=False)
    for number, (pixels, label) in enumerate(_pictures(feed, positions)):
        draws = draw(VARIANTS, key=tf.constant(seed, tf.uint64), first=tf.constant(number * VARIANTS, tf.int64))
        matrices = random_matrices(settings, draws=draws, height=feed.shape[0], width=feed.shape[1])
        variants = warp(tf.repeat(pixels[np.newaxis], VARIANTS, axis=0), matrices, fill=settings.fill_mode).numpy()
        yield Augmented(
            label=_name(label, names),
            original=_drawn(pixels, like=pixels, feed=feed),
            variants=tuple(_drawn(variant, like=pixels, feed=feed) for variant in variants),
        )


def _pictures(feed: Feed, positions: NDArray[np.int64]) -> Iterator[tuple[Pixels, int]]:
    """Samples that can be drawn, and their labels."""
    if len(feed.shape) == 3 and feed.shape[-1] in _CHANNELS and len(positions) > 0:
        for samples, labels in raw_samples(feed, batch=1, positions=positions):
            yield samples[0], int(labels[0])


def _drawn(pixels: Pixels, *, like: Pixels, feed: Feed) -> Image:
    """As bytes, no larger than the page shows. Floats that are not from 0 to 1 are stretched to the range of `like`."""
    low, high = (0.0, 255.0) if feed.dtype == tf.uint8 else _range(like)
    return reduced(np.rint(np.clip((pixels - low) * (255 / (high - low)), 0, 255)).astype(np.uint8))


def _range(pixels: Pixels) -> tuple[float, float]:
    low, high = float(pixels.min()), float(pixels.max())
    return (0.0, 1.0) if low == high or (low >= 0 and high <= 1) else (low, high)


def _name(label: int, names: Sequence[str]) -> str:
    return names[label] if label < len(names) else str(label)
