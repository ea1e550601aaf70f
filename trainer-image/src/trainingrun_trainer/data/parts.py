"""Which samples are held out for validation and test. NumPy only."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainingrun_trainer.errors import bad_data


class Parts(NamedTuple):
    """Disjoint positions of samples, each part in rising order; `test` may be empty."""

    training: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]


def part(samples: int, *, validation_fraction: float, test_fraction: float, seed: int, held_out: int = 0) -> Parts:
    """Hold out random samples for validation and test; the same seed holds out the same ones.

    The last `held_out` samples are for validation in any case; if there are such, no others are.

    Raises TrainerError (bad data) when a part that was asked for would be empty.
    """
    if held_out > 0:
        own = samples - held_out
        rest = part(own, validation_fraction=0.0, test_fraction=test_fraction, seed=seed)
        return rest._replace(validation=np.arange(own, samples))
    validation = round(samples * validation_fraction)
    test = round(samples * test_fraction)
    training = samples - validation - test
    if training < 1 or (validation_fraction > 0 and validation < 1) or (test_fraction > 0 and test < 1):
        raise bad_data(
            f"{samples} samples are too few for spec.data.validationFraction {validation_fraction} and "
            f"spec.data.testFraction {test_fraction}: they leave {training} for training, {validation} for validation and "
            f"{test} for test. Change the fractions or add samples."
        )
    order = np.random.default_rng(seed).permutation(samples)
    return Parts(
        training=np.sort(order[validation + test :]),
        validation=np.sort(order[:validation]),
        test=np.sort(order[validation : validation + test]),
    )
