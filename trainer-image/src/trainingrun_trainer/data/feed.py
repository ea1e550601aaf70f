"""How samples reach the steps of training and evaluation: a part of the data, dealt out in runs of steps.

A part is in memory, or read while it is trained on. Either way a sample has a position, and a shard (`data/shard.py`) says
which positions a rank takes in which step; so the same shard gives the same batches, wherever the samples are.
"""

import math
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainingrun_trainer.data.dataset import Dataset
from trainingrun_trainer.data.host import is_apart, on_host, rows_of
from trainingrun_trainer.data.normalization import Normalization
from trainingrun_trainer.data.shard import Shard

Tensor = Any

BYTES_AT_ONCE = 256 * 2**20
"""Of inputs that go to a device with memory of its own at a time."""


class Batches(NamedTuple):
    """The samples of some steps: step `s` has the samples at `rows[s]`, of the shape [steps, batch]."""

    inputs: Tensor
    """[n, *shape], bytes or floats."""
    labels: Tensor
    """[n], int32."""
    rows: NDArray[np.int32]


def batches_signature(feed: "Feed") -> list[Any]:
    """What a graph that takes `Batches` of this feed takes, whatever their size: it is traced once."""
    return [
        tf.TensorSpec([None, *feed.shape], feed.dtype),
        tf.TensorSpec([None], tf.int32),
        tf.TensorSpec([None, None], tf.int32),
    ]


class Dealer(Protocol):
    """Deals the samples of a shard in the order of its steps; a context manager, which frees what it holds."""

    @property
    def most_steps(self) -> int:
        """As many steps as may be taken at once; the same on all ranks."""

    def take(self, steps: int) -> Batches:
        """The next steps. Padding, which has no weight, may show any sample."""

    def __enter__(self) -> Self:
        """The dealer itself."""

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """Free what is held, also after a failure."""


class Feed(Protocol):
    """One part of the data: training, validation or test."""

    shape: tuple[int, ...]
    """Of one sample."""
    classes: int
    normalization: Normalization
    """What brings the values to what a network takes."""
    dtype: Any
    """TensorFlow's type of the inputs: bytes or floats."""

    def __len__(self) -> int:
        """Number of samples."""

    def deal(self, shard: Shard, *, first: int) -> Dealer:
        """Begin with step `first` of a shard."""


@dataclass(frozen=True)
class Split:
    """Disjoint parts of the data; `test` may be empty."""

    training: Feed
    validation: Feed
    test: Feed
    sha256: str = field(default="", kw_only=True)
    """Digest of the data and of who is in which part."""


class InMemory:
    """A part that is in the host's memory as a whole; the inputs stay bytes until a batch is taken."""

    def __init__(self, data: Dataset) -> None:
        self.shape, self.classes = data.shape, data.classes
        self.normalization = Normalization(data.scale)
        self._inputs = on_host(data.inputs)
        self.dtype = self._inputs.dtype
        self._labels = on_host(data.labels.astype(np.int32))

    def __len__(self) -> int:
        return len(self._labels)

    def deal(self, shard: Shard, *, first: int) -> "_MemoryDealer":
        """Positions are rows: nothing is copied, but to a device with memory of its own what its steps take."""
        return (_ApartDealer if is_apart() else _MemoryDealer)(self._inputs, self._labels, shard, first=first)


@dataclass
class _MemoryDealer:
    inputs: Tensor
    labels: Tensor
    shard: Shard
    first: int = field(kw_only=True)

    @property
    def most_steps(self) -> int:
        return self.shard.steps

    def take(self, steps: int) -> Batches:
        rows = self.shard.positions[self.first : self.first + steps]
        self.first += steps
        return Batches(self.inputs, self.labels, rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        pass


class _ApartDealer(_MemoryDealer):
    """Deals only what the steps take, so that the device has room for it, whatever the host has."""

    @property
    def most_steps(self) -> int:
        sample_bytes = int(math.prod(self.inputs.shape[1:])) * int(self.inputs.dtype.size)
        return max(1, BYTES_AT_ONCE // (int(self.shard.positions.shape[1]) * sample_bytes))

    def take(self, steps: int) -> Batches:
        taken = super().take(steps).rows
        inputs, labels = (rows_of(each, taken.ravel()) for each in (self.inputs, self.labels))
        return Batches(inputs, labels, np.arange(taken.size, dtype=np.int32).reshape(taken.shape))
