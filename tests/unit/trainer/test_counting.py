"""What counts once, and what does not count."""

from pathlib import Path

import pytest
import tensorflow as tf

from tests.unit.trainer.stages_alone import alone, easy_samples
from trainingrun_trainer.stages.step import correct_answers
from trainingrun_trainer.stages.train import train


def test_padding_is_no_right_answer() -> None:
    logits = tf.constant([[0.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    assert float(correct_answers(logits, tf.constant([1, 1, 1]), tf.constant([1.0, 0.0, 1.0]))) == 1.0


def test_a_penalty_counts_once_however_many_passes_a_step_has(tmp_path: Path) -> None:
    losses = []
    for passes in (1, 2):
        training = {
            "epochs": 2,
            "batchSize": 16 // passes,
            "optimizer": {"name": "SGD", "learningRate": "0.05"},
            "schedule": {"scaling": "None"},
            "regularization": {"l2": "0.1"},
        }
        rank, samples = alone(tmp_path / str(passes), training=training, backwardPassesPerStep=passes), easy_samples()
        losses.append([epoch["loss"] for epoch in train(rank.context, rank.network(samples), samples).history])
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
