"""A part of the data that is read and decoded while it is trained on, a bounded number of bytes ahead.

Samples have positions as those in memory have: which are taken, in which step and by whom, is the shard's to say.

A damaged sample ends the training. Before it does, the samples that would have come next are looked at too, so that one attempt
names many damaged ones and not each its own.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from types import TracebackType
from typing import Self

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainingrun_trainer.data.arrays import Array
from trainingrun_trainer.data.damaged import DamagedSamplesError, decode_intact
from trainingrun_trainer.data.dataset import scale_of
from trainingrun_trainer.data.encoded import Encoded
from trainingrun_trainer.data.feed import Batches
from trainingrun_trainer.data.host import on_host
from trainingrun_trainer.data.normalization import Normalization
from trainingrun_trainer.data.shard import Shard, shard
from trainingrun_trainer.errors import TrainerError

AHEAD_BYTES = 64 * 2**20
"""Decoded samples that wait to be taken. As many again may have been taken, and are copied into one tensor."""
_PARTS_AHEAD = 8
"""On the way into memory: so many parts are decoded ahead."""
_MOST_AT_ONCE = 256
"""Samples of such a part, at most."""
LOOKED_AT_AFTER = 4096
"""So many samples are looked at after a damaged one: some seconds, in which the other ranks wait."""


class Streamed:
    """Some samples of the data: see `Feed`."""

    def __init__(
        self,
        data: Encoded,
        positions: NDArray[np.int64],
        *,
        threads: int,
        ahead_bytes: int = AHEAD_BYTES,
        damaged: dict[int, str] | None = None,
    ) -> None:
        """What is damaged is noted in `damaged`, by position, and shown as zeros; without it, it raises DamagedSamplesError."""
        self.shape, self.classes = data.shape, data.classes
        self.normalization = Normalization(scale_of(data.dtype))
        self.dtype = tf.as_dtype(data.dtype)
        self.sample_bytes = int(np.prod(data.shape)) * data.dtype.itemsize
        self.data, self.positions = data, positions
        self.threads, self.ahead_bytes, self.damaged = threads, ahead_bytes, damaged

    def __len__(self) -> int:
        return len(self.positions)

    def deal(self, shard: Shard, *, first: int) -> "_StreamDealer":
        """Begins to read at once."""
        return _StreamDealer(self, shard, first=first)

    def into(self, inputs: Array) -> Iterator[None]:
        """Decode all samples into an array [samples, *shape], in many steps."""
        start = 0
        for decoded in self.in_order():
            part = inputs[start : start + len(decoded)]
            part[:] = decoded[: len(part)]
            start += len(part)
            yield

    def in_order(self) -> Iterator[Array]:
        """All samples in their order, some at a time; the last of them are padded."""
        at_once = max(1, min(_MOST_AT_ONCE, self.ahead_bytes // _PARTS_AHEAD // self.sample_bytes))
        whole = shard(len(self), batch=at_once, rank=0, size=1)
        with self.deal(whole, first=0) as dealer:
            for _ in range(whole.steps):
                yield dealer.take(1).inputs.numpy()


class _StreamDealer:
    """Deals what threads have read: see `Dealer`."""

    def __init__(self, feed: Streamed, shard: Shard, *, first: int) -> None:
        self._feed, self._shard = feed, shard
        self._batch = shard.positions.shape[1]
        self.most_steps = max(1, feed.ahead_bytes // (self._batch * feed.sample_bytes))
        self._next = first
        self._ahead: deque[Future[tuple[Array, NDArray[np.int32], dict[int, str]]]] = deque()
        self._pool = ThreadPoolExecutor(feed.threads, thread_name_prefix="read")
        self._read_ahead()

    def take(self, steps: int) -> Batches:
        """Wait for the next steps. Raises TrainerError when a sample cannot be read."""
        taken = []
        for _ in range(steps):
            read, answers, damaged = self._ahead.popleft().result()
            taken.append((read, answers))
            self._read_ahead()
            if damaged and self._feed.damaged is None:
                raise DamagedSamplesError(damaged | self._damaged_after())
            if self._feed.damaged is not None:
                self._feed.damaged.update(damaged)
        inputs, labels = (np.concatenate(parts) for parts in zip(*taken, strict=True))
        rows = np.arange(len(labels), dtype=np.int32).reshape(steps, self._batch)
        return Batches(on_host(inputs), on_host(labels), rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._pool.shutdown(cancel_futures=True)

    def _read_ahead(self) -> None:
        while len(self._ahead) < self.most_steps and self._next < self._shard.steps:
            self._ahead.append(self._pool.submit(self._step, self._next))
            self._next += 1

    def _damaged_after(self) -> dict[int, str]:
        """What is damaged of the samples that would have come next, as far as they can be read."""
        found: dict[int, str] = {}
        with suppress(TrainerError):
            for _ in range(-(-LOOKED_AT_AFTER // self._batch)):
                if not self._ahead:
                    break
                found |= self._ahead.popleft().result()[2]
                self._read_ahead()
        return found

    def _step(self, step: int) -> tuple[Array, NDArray[np.int32], dict[int, str]]:
        """Inputs and labels of a step, padding included: it shows real samples; and what is damaged among them."""
        feed = self._feed
        positions = feed.positions[self._shard.positions[step]]
        inputs, damaged = decode_intact(feed.data, feed.data.read(positions), positions=positions)
        return inputs, feed.data.labels[positions].astype(np.int32), damaged
