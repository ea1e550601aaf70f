"""Real agents with real ranks on this machine's loopback: they meet, train together, fail together and go on."""

import itertools
import os
import re
import signal
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.trainer.starting import Start, Starter, result_of


def put_samples(tmp_path: Path, *, count: int, held_out: int = 39, features: int = 6) -> dict[str, Any]:
    """Easy samples of two classes as NPZ; returns the data block that reads them and holds some out for validation."""
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
        "validationFraction": f"{held_out / count:.6f}",
    }


SGD = {"epochs": 1, "optimizer": {"name": "SGD", "learningRate": "0.05"}, "schedule": {"scaling": "None"}}


@pytest.mark.parametrize(
    ("count", "held_out", "shares"),
    [(193, 39, [65, 64, 64]), pytest.param(1003, 200, [363, 320, 320], marks=pytest.mark.long)],
)
def test_an_epoch_of_three_ranks_is_that_of_one_process_on_the_same_batches(
    start: Start, tmp_path: Path, count: int, held_out: int, shares: list[int]
) -> None:
    """Every sample counts exactly once, and averaged gradients are those of the joint batch, but for the order of additions."""
    data = put_samples(tmp_path, count=count + held_out, held_out=held_out)
    first = start(replicas=1, processes=3, data=data, training={**SGD, "batchSize": 64}).wait()[0]
    together = result_of(tmp_path)
    second = start(attempt=2, replicas=1, data=data, training={**SGD, "batchSize": 192}, run=another_run(2)).wait()[0]
    alone = result_of(tmp_path)
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert together["data"]["samples"] == {"training": count, "validation": held_out, "test": 0}
    assert together["training"]["samples"] == [shares]
    assert alone["training"]["samples"] == [[count]]
    assert together["training"]["history"][0] == pytest.approx(alone["training"]["history"][0], rel=1e-5)
    np.testing.assert_allclose(weights_of(tmp_path, uid="uid-1"), weights_of(tmp_path, uid="uid-2"), rtol=1e-4, atol=1e-6)


def another_run(number: int) -> dict[str, str]:
    return {"namespace": "team", "name": "run", "uid": f"uid-{number}"}


def weights_of(tmp_path: Path, *, uid: str) -> Any:
    """All weights of a run's newest checkpoint, as one vector."""
    newest = max((tmp_path / "output" / ".trainingrun" / uid).rglob("checkpoint-*.npz"))
    with np.load(newest) as archive:
        return np.concatenate([archive[name].ravel() for name in sorted(archive.files) if name.startswith("weights")])


def put_trees(tmp_path: Path) -> dict[str, Any]:
    """A table of two classes; returns the data block that reads it."""
    rows = [f"{label}.{count},{1 - label},{name}\n" for count in range(50) for label, name in enumerate(("oak", "elm"))]
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "trees.csv").write_text("a,b,kind\n" + "".join(rows))
    return {
        "source": {"persistentVolumeClaim": {"claimName": "datasets"}},
        "format": "CSV",
        "csv": {"labelColumn": "kind"},
    }


def test_two_ranks_train_on_a_table(start: Start, tmp_path: Path) -> None:
    data = {**put_trees(tmp_path), "normalization": "Standardize"}
    records = start(data=data, training={"epochs": 1, "batchSize": 16}, fresh=True).wait()
    assert [record.exit_code for record in records] == [0, 0]
    about = result_of(tmp_path)["data"]
    assert about["classNames"] == ["elm", "oak"]
    assert about["normalization"]["mean"] == pytest.approx([0.826, 0.5], abs=0.02)


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_two_workers_find_each_other_in_a_cluster_of_ipv6(start: Start, tmp_path: Path) -> None:
    gang = start(data=put_trees(tmp_path), training={"epochs": 1, "batchSize": 16}, host="[::1]")
    assert [record.exit_code for record in gang.wait()] == [0, 0]


@pytest.mark.long
def test_two_passes_are_one_batch_and_less_precision_trains_nearly_as_well(start: Start, tmp_path: Path) -> None:
    data = put_samples(tmp_path, count=232)
    runs = itertools.count(1)

    def course(**changes: Any) -> list[dict[str, float]]:
        training = {"epochs": 3, "batchSize": 16, "schedule": {"scaling": "None"}, **changes.pop("training", {})}
        number = next(runs)
        records = start(attempt=number, data=data, training=training, run=another_run(number), **changes).wait()
        assert [record.exit_code for record in records] == [0, 0]
        history: list[dict[str, float]] = result_of(tmp_path)["training"]["history"]
        return history

    def are_near(one: list[dict[str, float]], other: list[dict[str, float]], *, tolerance: float) -> bool:
        return all(a == pytest.approx(b, rel=tolerance) for a, b in zip(one, other, strict=True))

    exact = course(backwardPassesPerStep=2)
    assert course(backwardPassesPerStep=2) == exact
    assert are_near(course(training={"batchSize": 32}), exact, tolerance=1e-4)
    compressed = course(backwardPassesPerStep=2, gradientCompression="FP16")
    mixed = course(backwardPassesPerStep=2, training={"precision": "Mixed"})
    for rounded in (compressed, mixed):
        assert are_near(rounded, exact, tolerance=2e-2)
        assert rounded != exact


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


HALF = {"source": {"builtin": "MNIST10k"}, "validationFraction": "0.5"}


@pytest.mark.parametrize(
    "attempt",
    [
        pytest.param(2, id="in the next attempt"),
        pytest.param(1, id="in the same attempt, which a queue has stopped", marks=pytest.mark.long),
    ],
)
def test_an_interrupted_and_resumed_run_ends_like_an_uninterrupted_one(start: Start, tmp_path: Path, attempt: int) -> None:
    training = {"epochs": 6, "earlyStopping": {"patience": 3}}
    gang = start(training=training, data=HALF)
    gang.wait_for_step(45)
    gang.agents[1].send_signal(signal.SIGTERM)
    records = gang.wait()
    assert [record.exit_code for record in records] == [75, 75]
    assert records[0].checkpoint is not None
    resumed = start(attempt=attempt, training=training, data=HALF)
    assert [record.exit_code for record in resumed.wait()] == [0, 0]
    interrupted = result_of(tmp_path)["training"]
    start(attempt=1, training=training, run=another_run(3), data=HALF).wait()
    same(interrupted, result_of(tmp_path)["training"], epochs=6)


def same(one: dict[str, Any], other: dict[str, Any], *, epochs: int) -> None:
    """Check that two runs have trained on the same samples and ended with the same numbers.

    Two undisturbed runs differ by nothing: see docs/explanation/training.md.
    """
    assert len(one["history"]) == len(other["history"]) == epochs
    assert one["samples"] == other["samples"]
    for mine, yours in zip(one["history"], other["history"], strict=True):
        assert mine == pytest.approx(yours, rel=1e-5)


@pytest.mark.long
def test_a_run_that_is_killed_five_times_ends_like_an_undisturbed_one(start: Start, tmp_path: Path) -> None:
    """With all that has a state: dropout, augmentation, a schedule, and an optimizer with momentum."""
    spec: dict[str, Any] = {
        "data": HALF,
        "model": {"builtin": {"type": "MLP"}, "parameters": [{"name": "dropout", "value": "0.2"}]},
        "augmentation": {"rotationDegrees": "10", "zoom": "0.1"},
        "training": {"epochs": 60, "batchSize": 32, "schedule": {"type": "Cosine", "warmupEpochs": 2}},
    }
    moments = sorted(np.random.default_rng(5).integers(60, 60 * 79, size=5).tolist())
    resumed: list[int] = []
    saved: list[int] = []
    for attempt, step in enumerate(moments, start=1):
        gang = start(attempt=attempt, replicas=1, processes=2, **spec)
        gang.wait_for_step(step)
        os.kill(gang.rank_pids(0)[attempt % 2], signal.SIGKILL)
        assert gang.wait()[0].exit_code in (69, 70)
        resumed.append(resumed_epoch(gang.log(0)))
        saved.append(newest_checkpoint(tmp_path, attempt=attempt))
    last = start(attempt=6, replicas=1, processes=2, **spec)
    assert last.wait()[0].exit_code == 0
    resumed.append(resumed_epoch(last.log(0)))
    furthest = [max(saved[:attempt], default=0) for attempt in range(6)]
    assert resumed == furthest, "an epoch that had a checkpoint was repeated"
    assert furthest == sorted(furthest)
    assert len(set(furthest)) > 3
    killed = result_of(tmp_path)["training"]
    start(replicas=1, processes=2, run=another_run(2), **spec).wait()
    same(killed, result_of(tmp_path)["training"], epochs=60)


def resumed_epoch(log: str) -> int:
    """Finished epochs in the checkpoint that an attempt went on from; 0 if it began anew."""
    found = re.search(r"going on from checkpoint \S*/checkpoint-(\d+)-", log)
    return int(found.group(1)) if found is not None else 0


def newest_checkpoint(tmp_path: Path, *, attempt: int) -> int:
    """Finished epochs in the newest checkpoint of an attempt; 0 if it has none."""
    names = (tmp_path / "output" / ".trainingrun" / "uid-1" / "1" / str(attempt)).glob("checkpoint-*.json")
    return max((int(name.stem.split("-")[1]) for name in names), default=0)


@pytest.fixture(scope="module")
def finished(start_once: Starter) -> Starter:
    """A gang of one rank whose round is finished, and a starter for what comes after it."""
    (record,) = start_once(replicas=1).wait()
    assert record.exit_code == 0, start_once.gangs[0].log(0)[-3000:]
    return start_once


def test_a_finished_round_is_only_reported_again(finished: Starter) -> None:
    second = finished(attempt=2, replicas=1).wait()[0]
    assert second.result == finished.gangs[0].records(0)[0].result is not None
    assert result_of(finished.folder)["attempt"] == 1


def test_the_exported_model_takes_raw_pixels_and_returns_probabilities(finished: Starter) -> None:
    import tensorflow as tf

    model = tf.saved_model.load(str(finished.folder / "output" / "run" / "model"))
    pixels = tf.constant(np.full((2, 28, 28, 1), 255.0, dtype=np.float32))
    probabilities = model.signatures["serving_default"](samples=pixels)["probabilities"].numpy()
    assert probabilities.shape == (2, 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


def test_bad_data_is_a_sentence_and_not_a_lost_pod(start: Start, tmp_path: Path) -> None:
    data = {**put_samples(tmp_path, count=30, held_out=5), "npz": {"file": "none.npz"}}
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
