"""What is held out: every class by its share, no group in two parts, and nothing that is trained on."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainingrun_trainer.data.parts import Fractions, Parts, part
from trainingrun_trainer.errors import TrainerError

TENTH = Fractions(validation=0.1, test=0)
TENTH_AND_FIFTH = Fractions(validation=0.1, test=0.2)


def labels_of(*sizes: int) -> np.ndarray:
    """Labels of classes of these sizes, one class after the other, as a folder lists them."""
    return np.repeat(np.arange(len(sizes)), sizes)


def classes(labels: np.ndarray, positions: np.ndarray) -> list[int]:
    """How many samples of each class are at these positions."""
    counts: list[int] = np.bincount(labels[positions], minlength=int(labels.max()) + 1).tolist()
    return counts


def require_whole(parts: Parts, samples: int) -> None:
    assert sorted(np.concatenate(parts).tolist()) == list(range(samples))
    assert all((np.diff(positions) > 0).all() for positions in parts)


def test_the_parts_of_a_split_are_disjoint_complete_and_fixed_by_the_seed() -> None:
    labels = labels_of(50, 50)
    parts = part(labels, TENTH_AND_FIFTH, seed=3)
    assert [len(each) for each in parts] == [70, 10, 20]
    require_whole(parts, 100)
    assert (part(labels, TENTH_AND_FIFTH, seed=3).validation == parts.validation).all()
    assert (part(labels, TENTH_AND_FIFTH, seed=4).validation != parts.validation).any()


@pytest.mark.parametrize("sizes", [(20,) * 50, (900, 100), (10, 990), (3, 300, 30)], ids=str)
def test_every_part_has_its_share_of_every_class(sizes: tuple[int, ...]) -> None:
    labels = labels_of(*sizes)
    parts = part(labels, TENTH_AND_FIFTH, seed=7)
    require_whole(parts, len(labels))
    for fraction, positions in zip((0.1, 0.2), parts[1:], strict=True):
        assert len(positions) == round(len(labels) * fraction)
        assert np.abs(np.array(classes(labels, positions)) - fraction * np.array(sizes)).max() < 1


@pytest.mark.parametrize("sizes", [(2, 98), (1, 99), (1, 1, 1, 97)], ids=str)
def test_a_rare_class_is_trained_on(sizes: tuple[int, ...]) -> None:
    labels = labels_of(*sizes)
    for seed in range(20):
        assert min(classes(labels, part(labels, Fractions(0.4, 0.4), seed=seed).training)) > 0


@given(
    sizes=st.lists(st.integers(2, 40), min_size=2, max_size=6),
    validation=st.floats(0.05, 0.45),
    test=st.sampled_from([0.0, 0.1, 0.3]),
    seed=st.integers(0, 100),
)
def test_a_split_is_whole_whatever_the_classes(sizes: list[int], validation: float, test: float, seed: int) -> None:
    labels = np.random.default_rng(seed).permutation(labels_of(*sizes))
    counts = [round(len(labels) * fraction) for fraction in (validation, test)]
    if sum(counts) > len(labels) - len(sizes) or counts[0] < 1 or (test > 0 and counts[1] < 1):
        return
    parts = part(labels, Fractions(validation, test), seed=seed)
    require_whole(parts, len(labels))
    assert [len(each) for each in parts[1:]] == counts


@pytest.mark.parametrize("fractions", [TENTH, TENTH_AND_FIFTH], ids=["validation", "validation and test"])
def test_a_group_is_in_one_part(fractions: Fractions) -> None:
    generator = np.random.default_rng(1)
    groups = generator.integers(0, 40, 1000)
    labels = generator.integers(0, 3, 1000)
    parts = part(labels, fractions, seed=5, groups=groups)
    require_whole(parts, 1000)
    where = Counter(name for positions in parts for name in set(groups[positions].tolist()))
    assert set(where.values()) == {1}
    for fraction, positions in zip(fractions, parts[1:], strict=True):
        assert abs(len(positions) - 1000 * fraction) <= 30  # a group has 25 samples


def test_groups_of_one_class_are_shared_out_class_by_class() -> None:
    """Patients who are either ill or well: each part has both."""
    groups = np.repeat(np.arange(20), 10)
    labels = (groups < 10).astype(np.int64)
    parts = part(labels, Fractions(0.2, 0.2), seed=2, groups=groups)
    assert [classes(labels, positions) for positions in parts] == [[60, 60], [20, 20], [20, 20]]


def test_too_few_groups_are_refused() -> None:
    with pytest.raises(TrainerError, match="2 groups cannot be shared out"):
        part(labels_of(50, 50), TENTH_AND_FIFTH, seed=1, groups=np.arange(100) % 2)


def test_validation_samples_of_their_own_are_all_there_is_for_validation() -> None:
    parts = part(np.arange(100) % 2, Fractions(0.1, 0.25), seed=3, held_out=20)
    assert [len(each) for each in parts] == [60, 20, 20]
    assert parts.validation.tolist() == list(range(80, 100))
    require_whole(parts, 100)


def test_a_class_that_is_never_trained_on_is_named() -> None:
    labels = np.array([0, 1] * 20 + [0, 1, 2, 3])
    with pytest.raises(
        TrainerError, match=r"2 of 4 classes have no sample for training: cat, 3\. All their samples are held out"
    ):
        part(labels, TENTH, seed=1, held_out=4, class_names=("ant", "bee", "cat"))


@pytest.mark.parametrize(("samples", "fractions"), [(3, TENTH), (10, Fractions(0.5, 0.5)), (20, Fractions(0.1, 0.01))], ids=str)
def test_too_few_samples_for_a_split_are_refused(samples: int, fractions: Fractions) -> None:
    with pytest.raises(TrainerError, match=f"{samples} samples are too few"):
        part(np.arange(samples) % 2, fractions, seed=1)
