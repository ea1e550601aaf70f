"""Whether a model knows all classes: where one class is most of the samples, accuracy does not tell. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Balance:
    """How well the classes are found that have samples."""

    macro_recall: float
    """Mean over the classes of the share of a class's samples that are taken for it."""
    worst_class: int
    """The first of those with the lowest share."""
    worst_recall: float
    never_predicted: tuple[int, ...]
    """Classes that no sample is taken for, although there are samples of them."""

    @classmethod
    def of(cls, counts: Mapping[tuple[int, int], int]) -> "Balance | None":
        """By samples of each class and the class that they were taken for; None where there are no samples."""
        samples, answers = Counter[int](), Counter[int]()
        for (truth, predicted), count in counts.items():
            samples[truth] += count
            answers[predicted] += count
        recalls = {number: counts.get((number, number), 0) / samples[number] for number in sorted(samples) if samples[number]}
        if not recalls:
            return None
        worst = min(recalls, key=lambda number: (recalls[number], number))
        return cls(
            macro_recall=sum(recalls.values()) / len(recalls),
            worst_class=worst,
            worst_recall=recalls[worst],
            never_predicted=tuple(number for number in recalls if not answers[number]),
        )
