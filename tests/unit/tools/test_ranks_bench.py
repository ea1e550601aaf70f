"""What the benchmark of ranks makes of accuracies."""

import pytest

from tools.ranks_bench.__main__ import points_lost
from tools.ranks_bench.runs import Accuracies


def accuracies(*values: float) -> list[Accuracies]:
    """Those of some seeds."""
    return [Accuracies(trained=value, pruned=value) for value in values]


def test_points_are_lost_against_one_rank_with_the_same_seed() -> None:
    runs = {1: accuracies(0.95, 0.97, 0.99), 16: accuracies(0.94, 0.98, 0.97)}
    assert points_lost(runs, "trained", 16) == pytest.approx(1.0)
