"""Runtimes of models that are made up."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass
class Answering:
    """Answers by a function, and remembers how many samples it was given at a time."""

    answer: Callable[[NDArray[np.float32]], NDArray[Any]]
    widest: int = 0
    sizes: list[int] = field(default_factory=list)

    def __call__(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """The logits of samples."""
        self.sizes.append(len(samples))
        return self.answer(samples).astype(np.float32)
