"""Classes that have names: how names become numbers. NumPy only."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def number_classes(names: Sequence[str]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """The number of each label, and the names of class 0, 1 and so on, in the order of the names."""
    classes, numbers = np.unique(np.asarray(names, dtype=np.str_), return_inverse=True)
    return numbers.astype(np.int64).ravel(), tuple(str(name) for name in classes)
