"""Real agents with real ranks on this machine's loopback: they meet, train together, fail together and go on."""

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.trainer.gangs import Start, result_of


def put_samples(tmp_path: Path, *, count: int, features: int = 6) -> dict[str, Any]:
    """Easy samples of two classes as NPZ; returns the data block that reads them, a sixth of them for validation."""
    generator = np.random.default_rng(1)
    labels = np.arange(count) % 2
    (tmp_path / "data").mkdir(exist_ok=True)
    np.savez(
        tmp_path / "data" / "d.npz", x=generator.normal(labels[:, None], 0.3, (count, features)).astype(np.float32), y=labels
    )
    return {
        "source": {"persistentVolumeClaim": {"claimName": "datasets"}},
        "format": "NPZ",
        "npz": {"file": "d.npz", "images": "x", "labels": "y"},
        "validationFraction": f"{39 / 232:.6f}",
    }


def test_193_samples_on_three_ranks_count_exactly_once_per_epoch(start: Start, tmp_path: Path) -> None:
    data = put_samples(tmp_path, count=232)
    records = start(replicas=1, processes=3, data=data, training={"epochs": 3, "batchSize": 64}).wait()
    assert [record.exit_code for record in records] == [0]
    result = result_of(tmp_path)
    assert result["data"]["samples"] == {"training": 193, "validation": 39, "test": 0}
    assert result["training"]["samples"] == [[65, 64, 64]] * 3
    losses = [epoch["loss"] for epoch in result["training"]["history"]]
    assert losses == sorted(losses, reverse=True)


def test_two_workers_train_as_one_process_with_the_doubled_batch_would(start: Start, tmp_path: Path) -> None:
    """Averaged gradients are those of the joint batch: only the order of additions differs."""
    data = put_samples(tmp_path, count=232)
    training = {"epochs": 3, "batchSize": 32, "schedule": {"scaling": "None"}}
    start(replicas=2, data=data, training=training).wait()
    together = result_of(tmp_path)["training"]["history"]
    start(
        attempt=2,
        replicas=1,
        data=data,
        training={**training, "batchSize": 64},
        run={"namespace": "team", "name": "run", "uid": "uid-2"},
    ).wait()
    alone = result_of(tmp_path)["training"]["history"]
    for one, other in zip(together, alone, strict=True):
        assert one == pytest.approx(other, rel=1e-3)


def test_a_rank_whose_gradients_are_not_averaged_is_caught(start: Start) -> None:
    records = start(rank="tests.unit.trainer.apart_rank").wait()
    assert {record.cause for record in records} <= {"WeightsDiverged", "PeerLost"}
    causes = [record for record in records if record.cause == "WeightsDiverged"]
    assert causes
    assert "the gradients were not averaged over all ranks" in causes[0].message


def test_a_killed_rank_ends_the_gang_and_is_named(start: Start) -> None:
    gang = start(training={"epochs": 500})
    gang.wait_for_step(10)
    os.kill(gang.rank_pid(1), signal.SIGKILL)
    first, second = gang.wait()
    assert (second.cause, second.rank, second.signal, second.exit_code) == ("RankKilled", 1, 9, 70)
    assert (first.cause, first.exit_code) == ("PeerLost", 69)


def test_an_interrupted_and_resumed_run_ends_like_an_uninterrupted_one(start: Start, tmp_path: Path) -> None:
    training = {"epochs": 6, "earlyStopping": {"patience": 3}}
    gang = start(training=training, data={"source": {"builtin": "MNIST10k"}, "validationFraction": "0.5"})
    gang.wait_for_step(45)
    gang.agents[1].send_signal(signal.SIGTERM)
    records = gang.wait()
    assert [record.exit_code for record in records] == [75, 75]
    assert records[0].checkpoint is not None
    resumed = start(attempt=2, training=training, data={"source": {"builtin": "MNIST10k"}, "validationFraction": "0.5"})
    assert [record.exit_code for record in resumed.wait()] == [0, 0]
    interrupted = result_of(tmp_path)["training"]
    whole = {"namespace": "team", "name": "run", "uid": "uid-3"}
    start(attempt=1, training=training, run=whole, data={"source": {"builtin": "MNIST10k"}, "validationFraction": "0.5"}).wait()
    undisturbed = result_of(tmp_path)["training"]
    assert len(interrupted["history"]) == len(undisturbed["history"]) == 6
    assert interrupted["samples"] == undisturbed["samples"]
    for one, other in zip(interrupted["history"], undisturbed["history"], strict=True):
        assert one == pytest.approx(other, rel=2e-3)


def test_a_finished_round_is_only_reported_again(start: Start, tmp_path: Path) -> None:
    first = start(replicas=1).wait()[0]
    second = start(attempt=2, replicas=1).wait()[0]
    assert second.result == first.result
    assert result_of(tmp_path)["attempt"] == 1


def test_bad_data_is_a_sentence_and_not_a_lost_pod(start: Start, tmp_path: Path) -> None:
    data = {**put_samples(tmp_path, count=30), "npz": {"file": "none.npz"}}
    record = start(replicas=1, data=data).wait()[0]
    assert (record.exit_code, record.cause) == (65, "BadData")
    assert "There is no file none.npz (spec.data.npz.file)" in record.message
    assert "d.npz" in record.message


def test_a_broken_configuration_is_a_sentence_too(start: Start, tmp_path: Path) -> None:
    gang = start(replicas=1, model={"builtin": {"type": "MLP"}, "parameters": [{"name": "depth", "value": "3"}]})
    assert gang.wait()[0].exit_code == 64


def test_a_loss_that_is_no_number_names_the_learning_rate(start: Start) -> None:
    training = {"epochs": 3, "optimizer": {"name": "SGD", "learningRate": "1e30"}}
    record = start(replicas=1, training=training).wait()[0]
    assert record.cause == "NotANumber"
    assert "spec.training.optimizer.learningRate 1e30" in record.message


def test_an_output_that_cannot_be_written_is_named(start: Start, tmp_path: Path) -> None:
    (tmp_path / "output").write_text("a file where a folder should be")
    assert start(replicas=1).wait()[0].cause == "OutputFailed"


def test_the_exported_model_takes_raw_pixels_and_returns_probabilities(start: Start, tmp_path: Path) -> None:
    import tensorflow as tf

    start(replicas=1).wait()
    model = tf.saved_model.load(str(tmp_path / "output" / "run" / "model"))
    pixels = tf.constant(np.full((2, 28, 28, 1), 255.0, dtype=np.float32))
    probabilities = model.signatures["serving_default"](samples=pixels)["probabilities"].numpy()
    assert probabilities.shape == (2, 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
