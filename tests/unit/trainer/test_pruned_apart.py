"""Each sparsity is pruned by itself."""

from pathlib import Path
from typing import Any

import numpy as np

from tests.unit.trainer.stages_alone import alone, easy_samples
from trainingrun_trainer.stages.prune import prune


def pruned(output: Path, *sparsities: float) -> dict[float, Any]:
    """The weights of each."""
    samples = easy_samples(120, shape=(20,))
    compression = {"pruning": {"finalSparsities": list(sparsities), "epochs": 1}}
    rank = alone(output, compression=compression, training={"epochs": 1, "batchSize": 5})
    return {found.sparsity: found.weights for found in prune(rank.context, rank.network(samples), samples)}


def test_a_sparsity_is_the_same_whatever_was_pruned_before_it(tmp_path: Path) -> None:
    alone_, after = pruned(tmp_path / "alone", 0.8)[0.8], pruned(tmp_path / "after", 0.5, 0.8)[0.8]
    assert all(np.array_equal(one, other) for one, other in zip(alone_, after, strict=True))
