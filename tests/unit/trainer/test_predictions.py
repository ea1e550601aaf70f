"""Which classes are taken for which, and the most confident mistakes: against counts by hand."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.unit.trainer.answering import Answering
from tests.unit.trainer.stages_alone import alone
from trainingrun_trainer.artifacts.measure import measure
from trainingrun_trainer.artifacts.predictions import MOST_MISTAKES, Predictions, WrongAnswer
from trainingrun_trainer.data.dataset import Dataset
from trainingrun_trainer.data.feed import InMemory, Split
from trainingrun_trainer.stages import evaluate as evaluation
from trainingrun_trainer.stages.evaluate import evaluate

TRUTHS = np.array([0, 0, 1, 1, 2, 2, 2])
LOGITS = np.log(
    [
        [0.7, 0.2, 0.1],
        [0.1, 0.8, 0.1],  # 0 taken for 1
        [0.2, 0.6, 0.2],
        [0.1, 0.3, 0.6],  # 1 taken for 2
        [0.9, 0.05, 0.05],  # 2 taken for 0
        [0.1, 0.1, 0.8],
        [0.1, 0.8, 0.1],  # 2 taken for 1
    ]
).astype(np.float32)
COUNTS = Counter({(0, 0): 1, (0, 1): 1, (1, 1): 1, (1, 2): 1, (2, 0): 1, (2, 1): 1, (2, 2): 1})
MISTAKES = [(4, 2, 0, 0.9), (1, 0, 1, 0.8), (6, 2, 1, 0.8), (3, 1, 2, 0.6)]
"""By confidence, then by position: position, truth, predicted, probability."""


def a_feed(inputs: NDArray[Any] = LOGITS, truths: NDArray[Any] = TRUTHS) -> InMemory:
    return InMemory(Dataset(inputs, truths, classes=3))


def added(positions: NDArray[Any], predictions: Predictions | None = None) -> Predictions:
    predictions = predictions or Predictions()
    odds = np.exp(LOGITS[positions])
    predictions.add(
        positions, truths=TRUTHS[positions], predicted=odds.argmax(axis=1), probabilities=odds.max(axis=1) / odds.sum(axis=1)
    )
    return predictions


def assert_by_hand(found: Predictions) -> None:
    assert found.counts == COUNTS
    assert [answer[:3] for answer in found.mistakes] == [expected[:3] for expected in MISTAKES]
    assert [answer.probability for answer in found.mistakes] == pytest.approx([expected[3] for expected in MISTAKES])


def of_a_measurement() -> Predictions:
    return measure(b"model", Answering(lambda samples: samples), a_feed())[1]


def of_an_evaluation(batch: int) -> Predictions:
    """A network that answers what it is shown, in steps whose last one has padding; the validation samples are others."""
    split = Split(training=a_feed(), validation=a_feed(LOGITS[:2], TRUTHS[:2]), test=a_feed())
    context = alone(Path("/none"), training={"epochs": 1, "batchSize": batch}).context
    return evaluate(context, lambda samples, training: samples, split).predictions


def in_two_processes() -> Predictions:
    every = Predictions()
    for positions in (np.array([6, 0, 3]), np.array([5, 1, 4, 2])):
        every.merge(Predictions.decode(added(positions).encode()))
    return every


@pytest.mark.parametrize(
    "find",
    [of_a_measurement, lambda: of_an_evaluation(3), lambda: of_an_evaluation(2), in_two_processes],
    ids=["measured", "evaluated in steps of 3", "evaluated in steps of 2", "merged"],
)
def test_answers_are_counted_as_by_hand(find: Callable[[], Predictions]) -> None:
    assert_by_hand(find())


def test_without_test_samples_the_answers_are_those_to_the_validation_samples() -> None:
    nothing = a_feed(LOGITS[:0], TRUTHS[:0])
    context = alone(Path("/none"), training={"epochs": 1, "batchSize": 4}).context
    found = evaluate(context, lambda samples, training: samples, Split(a_feed(LOGITS[:2], TRUTHS[:2]), a_feed(), nothing))
    assert_by_hand(found.predictions)


def test_the_answers_of_all_ranks_are_brought_together(monkeypatch: pytest.MonkeyPatch) -> None:
    other = Predictions(Counter({(0, 2): 5}), [WrongAnswer(50, 0, 2, 0.85)])
    monkeypatch.setattr(evaluation, "gather_bytes", lambda gang, own: [own, other.encode()])
    found = of_an_evaluation(3)
    assert found.counts == COUNTS + other.counts
    assert [answer.position for answer in found.mistakes] == [4, 50, 1, 6, 3]


def test_of_many_mistakes_the_most_confident_are_kept() -> None:
    positions = np.random.default_rng(1).permutation(5000)
    zeros, found = np.zeros(len(positions), dtype=np.int64), Predictions()
    for part in np.split(positions, 10):
        found.add(part, truths=zeros[: len(part)], predicted=zeros[: len(part)] + 1, probabilities=part / 10_000)
    assert [answer.position for answer in found.mistakes] == list(range(4999, 4999 - MOST_MISTAKES, -1))
    assert found.counts == {(0, 1): 5000}


def test_a_probability_that_is_no_number_is_the_least_confident() -> None:
    found = Predictions()
    found.add(np.arange(3), truths=np.zeros(3, int), predicted=np.ones(3, int), probabilities=np.array([np.nan, 0.5, np.nan]))
    assert found.mistakes == [WrongAnswer(1, 0, 1, 0.5), WrongAnswer(0, 0, 1, 0.0), WrongAnswer(2, 0, 1, 0.0)]
