"""Which samples are held out for validation and test. NumPy only.

Every part has its share of every class (stratified sampling). Samples of one group, for example the pictures of one patient,
are all in one part: a network that knows the patient would be praised for it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainingrun_trainer.errors import TrainerError, bad_data

Positions = NDArray[np.int64]


class Parts(NamedTuple):
    """Disjoint positions of samples, each part in rising order; `test` may be empty."""

    training: Positions
    validation: Positions
    test: Positions


class Fractions(NamedTuple):
    """Parts of all samples that are held out: `spec.data.validationFraction` and `testFraction`."""

    validation: float
    test: float


def part(
    labels: NDArray[np.int64],
    fractions: Fractions,
    *,
    seed: int,
    held_out: int = 0,
    groups: NDArray[np.int64] | None = None,
    class_names: Sequence[str] = (),
) -> Parts:
    """Hold out random samples of every class for validation and test; the same seed holds out the same ones.

    `labels` are class numbers from 0, one for each sample, and `groups` the number of each sample's group. The last `held_out`
    samples are for validation in any case; if there are such, no others are.

    Raises TrainerError (bad data) when a part that was asked for would be empty, and when no sample of a class is left for
    training.
    """
    own = len(labels) - held_out
    wanted = fractions if held_out == 0 else fractions._replace(validation=0.0)
    counts = [round(own * fraction) for fraction in wanted]
    if own - sum(counts) < 1 or any(fraction > 0 and count < 1 for fraction, count in zip(wanted, counts, strict=True)):
        raise _too_few(own, wanted, counts)
    generator = np.random.default_rng(seed)
    if groups is None:
        parts = _stratified(labels[:own], counts, generator=generator)
    else:
        parts = _of_whole_groups(labels[:own], groups[:own], counts, generator=generator)
        if any(fraction > 0 and len(positions) == 0 for fraction, positions in zip(wanted, parts[1:], strict=True)):
            raise _too_few_groups(groups[:own])
    if held_out > 0:
        parts = parts._replace(validation=np.arange(own, len(labels)))
    _require_every_class(labels, parts, class_names=class_names)
    return parts


def _stratified(labels: NDArray[np.int64], counts: Sequence[int], *, generator: np.random.Generator) -> Parts:
    """So many samples of all are held out for validation and for test, of every class in proportion."""
    order = generator.permutation(len(labels))
    by_class = [order[labels[order] == number] for number in range(int(labels.max()) + 1)]
    left = np.array([len(members) for members in by_class])
    held: list[list[Positions]] = []
    for count in counts:
        taken = _shares(left, count, generator=generator)
        held.append([members[:most] for members, most in zip(by_class, taken, strict=True)])
        by_class = [members[most:] for members, most in zip(by_class, taken, strict=True)]
        left = left - taken
    validation, test = (np.sort(np.concatenate(each)) for each in held)
    return Parts(training=np.sort(np.concatenate(by_class)), validation=validation, test=test)


def _shares(sizes: NDArray[np.int64], count: int, *, generator: np.random.Generator) -> NDArray[np.int64]:
    """`count` samples dealt to classes of these sizes in proportion, by the largest remainder; chance decides a tie.

    A class keeps one sample as long as others have more to give.
    """
    exact = sizes * (count / sizes.sum())
    shares: NDArray[np.int64] = np.minimum(np.floor(exact).astype(np.int64), np.maximum(sizes - 1, 0))
    by_remainder = np.lexsort((generator.random(len(sizes)), -(exact - np.floor(exact))))
    for most in (np.maximum(sizes - 1, 0), sizes):
        while shares.sum() < count and np.any(shares < most):
            takers = [number for number in by_remainder if shares[number] < most[number]]
            shares[takers[: count - int(shares.sum())]] += 1
    return shares


def _of_whole_groups(
    labels: NDArray[np.int64], groups: NDArray[np.int64], counts: Sequence[int], *, generator: np.random.Generator
) -> Parts:
    """Groups, the largest first, each to the part that then is nearest to its share of every class."""
    classes = int(labels.max()) + 1
    names, numbers = np.unique(groups, return_inverse=True)
    members = np.zeros((len(names), classes))
    np.add.at(members, (numbers, labels), 1)
    sizes = np.array([len(labels) - sum(counts), *counts])
    wanted = np.outer(sizes / len(labels), members.sum(axis=0))
    has = np.zeros_like(wanted)
    part_of = np.zeros(len(names), dtype=np.int64)
    for group in np.lexsort((generator.random(len(names)), -members.sum(axis=1))):
        beyond = np.maximum(has + members[group] - wanted, 0).sum(axis=1)
        missing = (np.maximum(wanted - has, 0) * (members[group] > 0)).sum(axis=1)
        chosen = np.lexsort((-missing, beyond))[0]
        part_of[group] = chosen
        has[chosen] += members[group]
    return Parts(*(np.flatnonzero(part_of[numbers] == number) for number in range(3)))


def _require_every_class(labels: NDArray[np.int64], parts: Parts, *, class_names: Sequence[str]) -> None:
    """Raises TrainerError (bad data) naming classes that nothing is learnt about."""
    known = np.unique(labels[parts.training])
    unknown = np.setdiff1d(labels, known)
    if len(unknown) == 0:
        return
    named = ", ".join(class_names[number] if number < len(class_names) else str(number) for number in unknown[:5])
    raise bad_data(
        f"{len(unknown)} of {int(labels.max()) + 1} classes have no sample for training: {named}. All their samples are held "
        "out for validation or test. Add samples of them for training, or remove the classes."
    )


def _too_few(samples: int, fractions: Fractions, counts: Sequence[int]) -> TrainerError:
    validation, test = counts
    return bad_data(
        f"{samples} samples are too few for spec.data.validationFraction {fractions.validation} and "
        f"spec.data.testFraction {fractions.test}: they leave {samples - validation - test} for training, {validation} for "
        f"validation and {test} for test. Change the fractions or add samples."
    )


def _too_few_groups(groups: NDArray[np.int64]) -> TrainerError:
    return bad_data(
        f"{len(np.unique(groups))} groups cannot be shared out among training, validation and test: each needs one at least, "
        "and a group is never divided. Add groups, or do without them."
    )
