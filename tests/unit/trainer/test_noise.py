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


FIRST = SingleProcess()


class SecondRank(SingleProcess):
    """A rank of another number."""

    rank = 1


def loss(output: Path, *, model: Any, gang: SingleProcess = FIRST, before: int = 0) -> float:
    """Of two steps on the same samples, whichever rank takes them, and after however many others."""
    rank, samples = alone(output, model=model, training={"batchSize": 8}), easy_samples()
    network = rank.network(samples)
    optimizer = Optimizer(rank.config.training.optimizer, network.trainable_variables)
    plan = replace(epoch_plan(rank.context, samples.training, epoch=0), before=before)
    run = training_steps(replace(rank.context, gang=gang), network, optimizer, samples.training)
    with samples.training.deal(plan.shard, first=0) as dealer:
        return float(run(plan, dealer.take(2), 0)[0])


def test_no_two_ranks_and_no_two_epochs_leave_out_the_same(tmp_path: Path) -> None:
    first = loss(tmp_path, model=DROPOUT)
    assert first == loss(tmp_path, model=DROPOUT)
    assert first != pytest.approx(loss(tmp_path, model=DROPOUT, gang=SecondRank()), rel=1e-4)
    assert first != pytest.approx(loss(tmp_path, model=DROPOUT, before=100), rel=1e-4)


def test_without_random_layers_all_ranks_and_epochs_compute_the_same(tmp_path: Path) -> None:
    plain = {"builtin": {"type": "MLP"}}
    assert loss(tmp_path, model=plain) == loss(tmp_path, model=plain, gang=SecondRank(), before=100)
