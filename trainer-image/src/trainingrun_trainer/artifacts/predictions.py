"""What a model has answered: which classes it takes for which, and what it is most wrong about. NumPy only.

Samples are looked at once, in parts and in any order. What is kept does not grow with their number, only with that of the pairs
of classes that occur.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

MOST_MISTAKES = 18


class WrongAnswer(NamedTuple):
    """A sample that was taken for another class than its own."""

    position: int
    """In its part of the data."""
    truth: int
    predicted: int
    probability: float
    """Of the class that was predicted."""


@dataclass
class Predictions:
    """The answers of one model to the samples that were added."""

    counts: Counter[tuple[int, int]] = field(default_factory=Counter)
    """Samples by their class and the class that they were taken for."""
    mistakes: list[WrongAnswer] = field(default_factory=list)
    """The most confident first, at most `MOST_MISTAKES`; of equally confident ones the first of the data."""

    def add(
        self,
        positions: NDArray[np.integer[Any]],
        *,
        truths: NDArray[np.integer[Any]],
        predicted: NDArray[np.integer[Any]],
        probabilities: NDArray[np.floating[Any]],
    ) -> None:
        """Add some samples, each array [n]; a probability that is no number counts as 0."""
        self.counts.update(zip(truths.tolist(), predicted.tolist(), strict=True))
        wrong = truths != predicted
        columns = [each[wrong] for each in (positions, truths, predicted, np.nan_to_num(probabilities, nan=0.0))]
        surest = np.lexsort((columns[0], -columns[3]))[:MOST_MISTAKES]
        self._keep(WrongAnswer(*row) for row in zip(*(column[surest].tolist() for column in columns), strict=True))

    def merge(self, other: "Predictions") -> None:
        """Add what was kept of other samples."""
        self.counts.update(other.counts)
        self._keep(other.mistakes)

    def encode(self) -> bytes:
        """As JSON, for another process."""
        counts = [[*pair, count] for pair, count in self.counts.items()]
        return json.dumps({"counts": counts, "mistakes": self.mistakes}).encode()

    @classmethod
    def decode(cls, encoded: bytes) -> "Predictions":
        """The inverse of `encode`."""
        parsed = json.loads(encoded)
        counts = Counter({(truth, predicted): count for truth, predicted, count in parsed["counts"]})
        return cls(counts, [WrongAnswer(*mistake) for mistake in parsed["mistakes"]])

    def _keep(self, wrong: Iterable[WrongAnswer]) -> None:
        ordered = sorted([*self.mistakes, *wrong], key=lambda answer: (-answer.probability, answer.position))
        self.mistakes = ordered[:MOST_MISTAKES]
