"""Samples lie in the host's memory, and a device with memory of its own gets only those that its steps take."""

import numpy as np
import pytest
import tensorflow as tf

from trainingrun_trainer.data import feed as feeds
from trainingrun_trainer.data.dataset import Dataset
from trainingrun_trainer.data.feed import InMemory
from trainingrun_trainer.data.raw import raw_samples
from trainingrun_trainer.data.shard import shard

INPUTS = np.arange(60, dtype=np.uint8).reshape(20, 3)
ORDER = np.random.default_rng(1).permutation(20)


class Devices:
    """Notes where TensorFlow is told to put things."""

    def __init__(self) -> None:
        self.named: list[str] = []

    def __call__(self, name: str) -> "Devices":
        self.named.append(name)
        return self

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass


def a_feed() -> InMemory:
    return InMemory(Dataset(INPUTS, np.arange(20) % 2, classes=2))


def taken(feed: InMemory, *, batch: int, steps: int) -> list[list[list[int]]]:
    """The samples of the steps, as a graph takes them."""
    with feed.deal(shard(20, batch=batch, rank=0, size=1, order=ORDER), first=0) as dealer:
        inputs, _, rows = dealer.take(steps)
        assert "CPU:0" in inputs.device
        return [inputs.numpy()[row].tolist() for row in rows]


def test_all_samples_of_a_part_are_put_on_the_host_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    devices = Devices()
    monkeypatch.setattr(tf, "device", devices)
    feed = a_feed()
    assert devices.named == ["CPU:0", "CPU:0"]
    list(raw_samples(feed, batch=20))
    assert devices.named == ["CPU:0"] * 4


@pytest.mark.parametrize(("batch", "steps"), [(4, 1), (4, 5), (7, 2)])
def test_a_device_of_its_own_gets_the_same_samples(monkeypatch: pytest.MonkeyPatch, batch: int, steps: int) -> None:
    expected = taken(a_feed(), batch=batch, steps=steps)
    monkeypatch.setattr(feeds, "is_apart", lambda: True)
    assert taken(a_feed(), batch=batch, steps=steps) == expected


@pytest.mark.parametrize(("room", "most"), [(1, 1), (12 * 3, 3), (12 * 3 + 11, 3)])
def test_a_device_of_its_own_gets_what_it_has_room_for(monkeypatch: pytest.MonkeyPatch, room: int, most: int) -> None:
    monkeypatch.setattr(feeds, "is_apart", lambda: True)
    monkeypatch.setattr(feeds, "BYTES_AT_ONCE", room)
    with a_feed().deal(shard(20, batch=4, rank=0, size=1, order=ORDER), first=0) as dealer:
        assert dealer.most_steps == most
        assert len(dealer.take(dealer.most_steps).inputs) == 4 * most
