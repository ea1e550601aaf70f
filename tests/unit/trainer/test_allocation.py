"""How the zeros of pruning are shared among layers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainingrun.api import Allocation
from trainingrun_trainer.compression.allocation import Weights, allocate


def layers(*sizes: int, seed: int = 1) -> list[Weights]:
    """Layers of normally distributed weights."""
    values = np.random.default_rng(seed)
    return [values.normal(size=size).astype(np.float32) for size in sizes]


def test_uniform_gives_every_layer_the_same() -> None:
    assert allocate(Allocation.UNIFORM, layers(1000, 10), sparsity=0.8) == [0.8, 0.8]


@given(
    sizes=st.lists(st.integers(1, 300), min_size=1, max_size=5),
    sparsity=st.floats(0, 1, exclude_max=True),
    seed=st.integers(0, 99),
)
def test_adaptive_makes_all_layers_together_as_sparse_as_asked(sizes: list[int], sparsity: float, seed: int) -> None:
    shares = allocate(Allocation.ADAPTIVE, layers(*sizes, seed=seed), sparsity=sparsity)
    zeros = sum(share * size for share, size in zip(shares, sizes, strict=True))
    assert zeros == pytest.approx(min(round(sparsity * sum(sizes)), sum(sizes) - len(sizes)))


def test_adaptive_makes_no_layer_less_sparse_when_more_is_asked() -> None:
    shares = [allocate(Allocation.ADAPTIVE, layers(500, 50, 5), sparsity=percent / 100) for percent in range(100)]
    for layer in zip(*shares, strict=True):
        assert list(layer) == sorted(layer)


def test_adaptive_takes_more_from_a_layer_that_has_more_to_spare() -> None:
    large, small = allocate(Allocation.ADAPTIVE, layers(10_000, 100), sparsity=0.9)
    assert large > 0.9 > 0.6 > small


def test_adaptive_does_not_mind_that_a_layer_has_small_weights() -> None:
    first, second = layers(300, 200)
    assert allocate(Allocation.ADAPTIVE, [first, second], sparsity=0.7) == allocate(
        Allocation.ADAPTIVE, [first * 2**-10, second], sparsity=0.7
    )


def test_adaptive_leaves_a_weight_of_every_layer() -> None:
    assert allocate(Allocation.ADAPTIVE, [*layers(997, 1, 1), np.zeros(1, np.float32)], sparsity=0.9999) == [996 / 997, 0, 0, 0]


def test_weights_that_are_zero_already_go_first() -> None:
    dead, alive = np.zeros(50, np.float32), layers(50)[0]
    assert allocate(Allocation.ADAPTIVE, [alive, dead], sparsity=0.49) == [0.0, 0.98]
