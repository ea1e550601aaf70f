"""What the random layers of a network leave out."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.unit.trainer.stages_alone import alone, easy_samples
from trainingrun_trainer.parallel.single import SingleProcess
from trainingrun_trainer.stages.optimizers import Optimizer
from trainingrun_trainer.stages.plan import epoch_plan
from trainingrun_trainer.stages.step import training_steps

DROPOUT = {"builtin": {"type": "MLP"}, "parameters": [{"name": "dropout", "value": "0.5"}]}


class SecondRank(SingleProcess):
    """A rank of another number."""

    rank = 1


def loss(output: Path, *, gang: SingleProcess, model: Any) -> float:
    """Of two steps on the same samples, whichever rank takes them."""
    rank, samples = alone(output, model=model, training={"batchSize": 8}), easy_samples()
    network = rank.network(samples)
    optimizer = Optimizer(rank.config.training.optimizer, network.trainable_variables)
    plan = epoch_plan(rank.context, samples.training, epoch=0)
    run = training_steps(replace(rank.context, gang=gang), network, optimizer, samples.training)
    with samples.training.deal(plan.shard, first=0) as dealer:
        return float(run(plan, dealer.take(2), 0)[0])


def test_no_two_ranks_leave_out_the_same(tmp_path: Path) -> None:
    first, again, second = (
        loss(tmp_path, gang=gang, model=DROPOUT) for gang in (SingleProcess(), SingleProcess(), SecondRank())
    )
    assert first == again
    assert first != pytest.approx(second, rel=1e-4)


def test_without_random_layers_all_ranks_compute_the_same(tmp_path: Path) -> None:
    plain = {"builtin": {"type": "MLP"}}
    assert loss(tmp_path, gang=SingleProcess(), model=plain) == loss(tmp_path, gang=SecondRank(), model=plain)
