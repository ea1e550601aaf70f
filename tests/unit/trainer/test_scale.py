"""On which scale a network sees its samples."""

import numpy as np
import pytest

from trainingrun_trainer.data.dataset import dataset

LABELS = np.array([0, 1])


@pytest.mark.parametrize(("kind", "scale"), [(np.uint8, 1 / 255), (np.float32, 1.0), (np.float64, 1.0), (np.int16, 1.0)])
def test_bytes_become_fractions_and_other_numbers_stay(kind: type, scale: float) -> None:
    assert dataset(np.ones((2, 3), kind), LABELS, where="here").scale == scale
