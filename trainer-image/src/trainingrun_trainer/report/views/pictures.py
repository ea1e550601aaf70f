"""Images: what the model is most wrong about, and what augmentation does."""

from collections.abc import Sequence
from dataclasses import dataclass

from trainingrun_trainer.report.picture import data_uri
from trainingrun_trainer.report.values import Augmented, Mistake
from trainingrun_trainer.report.words import percent

_MOST_MISTAKES, _MOST_AUGMENTED, _MOST_VARIANTS = 18, 6, 4


@dataclass(frozen=True)
class MistakeView:
    """A picture, what it shows, and what it was taken for."""

    uri: str
    truth: str
    predicted: str
    confidence: str


@dataclass(frozen=True)
class AugmentedView:
    """A picture and what became of it."""

    label: str
    original: str
    variants: tuple[str, ...]


def mistake_views(mistakes: Sequence[Mistake]) -> list[MistakeView]:
    """At most 18, in the order that is given."""
    return [
        MistakeView(data_uri(mistake.image), mistake.truth, mistake.predicted, percent(mistake.probability))
        for mistake in mistakes[:_MOST_MISTAKES]
    ]


def augmented_views(samples: Sequence[Augmented]) -> list[AugmentedView]:
    """At most six samples with at most four variants each."""
    return [
        AugmentedView(sample.label, data_uri(sample.original), tuple(map(data_uri, sample.variants[:_MOST_VARIANTS])))
        for sample in samples[:_MOST_AUGMENTED]
    ]
