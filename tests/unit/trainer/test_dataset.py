"""On which scale a network sees its samples, and which labels make no classes."""

import numpy as np
import pytest

from trainingrun_trainer.data.dataset import dataset
from trainingrun_trainer.errors import TrainerError


@pytest.mark.parametrize(("kind", "scale"), [(np.uint8, 1 / 255), (np.float32, 1.0), (np.float64, 1.0), (np.int16, 1.0)])
def test_bytes_become_fractions_and_other_numbers_stay(kind: type, scale: float) -> None:
    assert dataset(np.ones((2, 3), kind), np.array([0, 1]), where="here").scale == scale


@pytest.mark.parametrize("missing", [1, 2])
def test_one_class_without_a_sample_is_named(missing: int) -> None:
    labels = np.setdiff1d(np.arange(4), [missing])
    with pytest.raises(TrainerError, match=f"no sample is labelled {missing}"):
        dataset(np.ones((3, 2), np.uint8), labels, where="here")
