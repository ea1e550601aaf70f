"""What brings raw samples to what a network learns from.

It stands before the network, in training and in every model that is exported, and is no part of it: so a network of the user's,
pruning and tfmot see nothing of it, it is computed in float32 whatever the network computes in, and no quantization touches it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

Tensor = Any

BOUND = 10.0
"""Standard deviations from the mean that a feature is at most. In eight bits all features share one range: a single far value
would leave too few steps of it for all others."""


@dataclass(frozen=True, eq=False)
class Normalization:
    """(sample - mean) * scale within `BOUND`; without a mean, sample * scale. Vectors of features have an entry for each."""

    scale: float | NDArray[np.float32]
    mean: NDArray[np.float32] | None = None

    def __call__(self, samples: Tensor) -> Tensor:
        """Raw samples [n, *shape], floats, as the network takes them."""
        if self.mean is None:
            return samples * self.scale
        return tf.clip_by_value((samples - self.mean) * self.scale, -BOUND, BOUND)

    def as_json(self) -> dict[str, Any]:
        """All numbers of it, for `result.json`."""
        if self.mean is None:
            return {"scale": self.scale}
        return {"mean": self.mean.tolist(), "scale": np.asarray(self.scale).tolist(), "bound": BOUND}


@dataclass(frozen=True, eq=False)
class Statistics:
    """Of the features of some samples, each array [features]; those of parts can be joined."""

    count: float
    mean: NDArray[np.float64]
    squares: NDArray[np.float64]
    """Sums of the squared distances from the mean."""
    lowest: NDArray[np.float64]
    highest: NDArray[np.float64]

    @classmethod
    def none(cls, features: int) -> "Statistics":
        """Of no samples."""
        zeros = np.zeros(features)
        return cls(0.0, zeros, zeros, lowest=zeros + np.inf, highest=zeros - np.inf)

    @classmethod
    def of(cls, samples: NDArray[np.float32]) -> "Statistics":
        """Of samples [n, features], at least one."""
        exact = samples.astype(np.float64)
        mean = exact.mean(axis=0)
        squares = ((exact - mean) ** 2).sum(axis=0)
        return cls(float(len(exact)), mean, squares, lowest=exact.min(axis=0), highest=exact.max(axis=0))

    def joined(self, other: "Statistics") -> "Statistics":
        """Of the samples of both. Formula: Chan, Golub and LeVeque 1983, (1.5), which loses no digits."""
        count = self.count + other.count
        if count == 0:
            return self
        apart = other.mean - self.mean
        return Statistics(
            count,
            self.mean + apart * (other.count / count),
            self.squares + other.squares + apart**2 * (self.count * other.count / count),
            lowest=np.minimum(self.lowest, other.lowest),
            highest=np.maximum(self.highest, other.highest),
        )

    def encode(self) -> NDArray[np.float64]:
        """As one vector, for other ranks."""
        return np.concatenate([[self.count], self.mean, self.squares, self.lowest, self.highest])

    @classmethod
    def decode(cls, encoded: NDArray[np.float64]) -> "Statistics":
        """The inverse of `encode`."""
        mean, squares, lowest, highest = np.split(encoded[1:], 4)
        return cls(float(encoded[0]), mean, squares, lowest=lowest, highest=highest)

    def standardization(self) -> Normalization:
        """To mean 0 and deviation 1. What never varied becomes 0, whatever it will be: nothing was learnt about it."""
        deviation = np.sqrt(self.squares / self.count)
        varies = (self.lowest < self.highest) & (deviation >= np.finfo(np.float32).tiny)
        scale = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=varies)
        return Normalization(scale.astype(np.float32), self.mean.astype(np.float32))
