"""The weights that a run ends with are those of its best epoch, also when another attempt has found them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.trainer.stages_alone import Interruption, alone, easy_samples
from trainingrun.api import EarlyStopping
from trainingrun_trainer.checkpoint import LoopState
from trainingrun_trainer.errors import TrainerError
from trainingrun_trainer.stages.early_stopping import judge_epoch
from trainingrun_trainer.stages.train import train

SAMPLES = easy_samples(240)
OPTIMIZER = {"learningRate": "0.01"}
STOPPING = {"metric": "val_accuracy", "patience": 4}


def trained(output: Path, *, attempt: int = 1, looks: int = 10**6, **training: Any) -> tuple[LoopState, list[Any]]:
    """A run's last state and its weights."""
    spec = {"batchSize": 2, "optimizer": OPTIMIZER, **training}
    rank = alone(output, attempt=attempt, training=spec, is_interrupted=Interruption(looks))
    network = rank.network(SAMPLES)
    return train(rank.context, network, SAMPLES), network.get_weights()


@pytest.fixture(scope="module")
def best(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """The weights after the first epoch, which tells the classes apart without a mistake."""
    state, weights = trained(tmp_path_factory.mktemp("first"), epochs=1)
    assert state.history[0]["val_accuracy"] == 1.0
    return weights


def test_training_stops_after_as_many_epochs_without_improvement_as_asked_and_not_before() -> None:
    state, settings, stopped = LoopState(), EarlyStopping(patience=2), []
    for loss in (1.0, 0.5, 0.6, 0.7):
        judge_epoch(state, settings, metrics={"val_loss": loss})
        stopped.append(state.stopped)
    assert stopped == [False, False, False, True]


def are_equal(one: list[Any], other: list[Any]) -> bool:
    return all(np.array_equal(mine, yours) for mine, yours in zip(one, other, strict=True))


def test_a_run_that_stops_early_ends_with_the_weights_of_its_best_epoch(tmp_path: Path, best: list[Any]) -> None:
    state, weights = trained(tmp_path, epochs=20, earlyStopping=STOPPING)
    assert (state.stopped, state.best_epoch, state.epoch) == (True, 1, 5)
    assert are_equal(weights, best)


def test_the_best_weights_of_an_attempt_that_was_interrupted_are_kept(tmp_path: Path, best: list[Any]) -> None:
    with pytest.raises(TrainerError, match=r"Told to stop in epoch [234]"):
        trained(tmp_path, epochs=20, earlyStopping=STOPPING, looks=14)
    state, weights = trained(tmp_path, attempt=2, epochs=20, earlyStopping=STOPPING)
    assert (state.best_epoch, state.epoch) == (1, 5)
    assert are_equal(weights, best)
