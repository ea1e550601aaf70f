"""An attempt that has been overtaken ends with its next checkpoint, which it does not write."""

from pathlib import Path

import pytest

from tests.unit.trainer.stages_alone import alone, easy_samples
from trainingrun_trainer import fence
from trainingrun_trainer.errors import TrainerError
from trainingrun_trainer.stages import journal
from trainingrun_trainer.stages.train import train


def test_an_attempt_that_has_been_overtaken_writes_no_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "PAUSE_SECONDS", float("inf"))  # the journal looks, too, but only now and then
    older, samples = alone(tmp_path, training={"epochs": 2}), easy_samples()
    fence.claim(older.paths)
    fence.claim(alone(tmp_path, attempt=2).paths)
    with pytest.raises(TrainerError, match="attempt 2 of this run has taken over the output"):
        train(older.context, older.network(samples), samples)
    assert not list(tmp_path.rglob("checkpoint-*"))
