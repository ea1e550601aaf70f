"""Bytes, vectors and weights that are longer than one message may be, between ranks that take turns in this process."""

from collections.abc import Callable, Iterator
from typing import Any

import horovod.tensorflow as hvd
import numpy as np
import pytest
import tensorflow as tf

from trainingrun_trainer.parallel import horovod
from trainingrun_trainer.parallel.exchange import gather_bytes
from trainingrun_trainer.parallel.horovod import HorovodGang

MOST = 64
LENGTHS = [0, 1, MOST - 1, MOST, MOST + 1, 10 * MOST + 7]


def size_of(message: Any) -> int:
    return int(message.shape.num_elements()) * int(message.dtype.size)


class Exchange:
    """What rank 0 sends, for rank 1 to receive afterwards; a message that is too long fails, as it does with MPI."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch
        self.sent: list[Any] = []
        patch.setattr(horovod, "MOST_BYTES", MOST)
        patch.setattr(hvd, "init", lambda: None)
        patch.setattr(hvd, "size", lambda: 2)

    def rank(self, number: int) -> HorovodGang:
        """The gang as this rank sees it."""
        received: Iterator[Any] = iter(list(self.sent))

        def broadcast(value: Any, *, root_rank: int, name: str) -> Any:
            assert size_of(value) <= MOST
            if number != root_rank:
                sent = next(received)
                assert (sent.shape, sent.dtype) == (value.shape, value.dtype)
                return sent
            self.sent.append(value)
            return value

        def allgather(value: Any, *, name: str) -> Any:
            both = tf.concat([value, value + 1], axis=0)
            assert size_of(both) <= MOST
            return both

        self._patch.setattr(hvd, "rank", lambda: number)
        self._patch.setattr(hvd, "broadcast", broadcast)
        self._patch.setattr(hvd, "allgather", allgather)
        return HorovodGang()

    def of_both(self, act: Callable[[HorovodGang], Any]) -> list[Any]:
        """What rank 0 and then rank 1 come to."""
        return [act(self.rank(number)) for number in (0, 1)]


@pytest.fixture
def exchange(monkeypatch: pytest.MonkeyPatch) -> Exchange:
    return Exchange(monkeypatch)


@pytest.mark.parametrize("length", LENGTHS)
def test_bytes_arrive_whole(length: int, exchange: Exchange) -> None:
    data = bytes(index % 251 for index in range(length))
    assert exchange.of_both(lambda gang: gang.broadcast_bytes(data if gang.rank == 0 else b"else")) == [data, data]


@pytest.mark.parametrize("shape", [(), (3,), (16,), (17,), (5, 7, 2)])
@pytest.mark.parametrize("kind", [tf.float32, tf.int64, tf.bfloat16], ids=lambda kind: kind.name)
def test_weights_arrive_whole(shape: tuple[int, ...], kind: tf.DType, exchange: Exchange) -> None:
    wanted = tf.cast(tf.reshape(tf.range(int(np.prod(shape))), shape), kind)

    def weights(gang: HorovodGang) -> Any:
        variable = tf.Variable(wanted if gang.rank == 0 else tf.zeros_like(wanted))
        gang.broadcast([variable])
        return variable

    for each in exchange.of_both(weights):
        assert each.dtype == kind
        np.testing.assert_array_equal(each.numpy(), wanted.numpy())


@pytest.mark.parametrize("length", [0, 1, 4, 5, 41])
def test_vectors_are_gathered_whole(length: int, exchange: Exchange) -> None:
    values = np.arange(length, dtype=np.float64)
    np.testing.assert_array_equal(exchange.rank(0).gather(values), [values, values + 1])


@pytest.mark.parametrize("length", LENGTHS)
def test_bytes_are_gathered_whole(length: int, monkeypatch: pytest.MonkeyPatch, exchange: Exchange) -> None:
    gang, data = exchange.rank(0), bytes(index % 251 for index in range(length))

    def allgather(value: Any, *, name: str) -> Any:
        assert 2 * size_of(value) <= MOST
        return tf.concat([value, value], axis=0)

    monkeypatch.setattr(hvd, "allgather", allgather)
    assert gather_bytes(gang, data) == [data, data]
