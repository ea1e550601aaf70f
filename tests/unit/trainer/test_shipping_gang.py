"""From data to a model that is accepted, or not, on two real ranks."""

import hashlib
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.trainer.stages_alone import alone
from tests.unit.trainer.starting import Start, Starter, result_of
from trainingrun import curves
from trainingrun.api import Result
from trainingrun_trainer.artifacts.predictions import MOST_MISTAKES
from trainingrun_trainer.artifacts.runtime import TFLite
from trainingrun_trainer.data.raw import raw_samples
from trainingrun_trainer.data.source import load_split
from trainingrun_trainer.stages.reporting.pictures import SAMPLES, VARIANTS

DATA = {"source": {"builtin": "MNIST10k"}, "testFraction": "0.1"}
TRAINING = {"epochs": 2, "batchSize": 64}
COMPRESSION: dict[str, Any] = {
    "pruning": {"finalSparsities": ["0.5", "0.9"], "epochs": 3},
    "quantization": {"mode": "Int8", "calibrationSamples": 100},
}
BLOCKS: dict[str, Any] = {"data": DATA, "training": TRAINING, "compression": COMPRESSION}
FINALS = ["pruned-0.5-int8", "pruned-0.9-int8"]


def files(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "output" / "run").iterdir())


@pytest.fixture(scope="module")
def shipped(start_once: Starter) -> tuple[Path, Result]:
    """What two ranks have shipped: where it is, and what it is said to be."""
    gang = start_once(**BLOCKS, acceptance={"minimum": "0.8", "maximumDegradation": "0.2"})
    records = gang.wait()
    assert [record.exit_code for record in records] == [0, 0], gang.log(0)[-3000:]
    assert records[0].result is not None
    return start_once.folder, records[0].result


def test_two_ranks_ship_the_smallest_model_that_is_accepted(shipped: tuple[Path, Result]) -> None:
    folder, result = shipped
    assert [artifact.name for artifact in result.artifacts] == ["model", *FINALS, "dense", "pruned-0.5", "pruned-0.9"]
    assert [artifact.accepted for artifact in result.artifacts] == [None, True, True, None, None, None]
    assert result.best is not None
    assert result.best.name == "pruned-0.9-int8"
    assert [artifact.sparsity for artifact in result.artifacts[1:3]] == ["0.5000", "0.9000"]
    for artifact in result.artifacts[1:]:
        content = (folder / "output" / "run" / f"{artifact.name}.tflite").read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (artifact.sha256, artifact.size_bytes)
    models = result_of(folder)["compression"]["models"]
    assert [model["name"] for model in models] == ["dense", "pruned-0.5", "pruned-0.5-int8", "pruned-0.9", "pruned-0.9-int8"]
    page = (folder / "output" / "run" / "report.html").read_text()
    assert all(f"{name}.tflite" in page for name in FINALS)
    accuracy = next(model for model in models if model["name"] == FINALS[1])["measured"]["accuracy"]
    assert (
        f"Answers of <code>{FINALS[1]}</code>, the smallest accepted model, to the test samples. {wrong_of(accuracy)}" in page
    )
    assert all(f">{stage}<" in page for stage in ("Loading", "Training", "Evaluating", "Pruning", "Quantizing"))


def test_the_file_that_is_shipped_answers_as_the_result_says(
    shipped: tuple[Path, Result], tmp_path: Path, builtin_data: Path
) -> None:
    folder, result = shipped
    (final,) = [artifact for artifact in result.artifacts if artifact.name == "pruned-0.9-int8"]
    split, _ = load_split(alone(tmp_path, environment={"TRAININGRUN_BUILTIN_DATA": str(builtin_data)}, **BLOCKS).context)
    runtime = TFLite((folder / "output" / "run" / "pruned-0.9-int8.tflite").read_bytes())
    answers = [(runtime(samples).argmax(axis=1) == labels) for samples, labels in raw_samples(split.test, batch=250)]
    assert len(answers) == 4
    accuracy = {metric.name: metric.value for metric in final.metrics}["accuracy"]
    assert f"{np.concatenate(answers).mean():.4f}" == accuracy


def wrong_of(accuracy: float) -> str:
    return f"{round(1000 * (1 - accuracy))} of 1,000 samples are wrong."


def test_the_report_shows_the_answers_to_all_samples_whichever_rank_gave_them(start: Start, tmp_path: Path) -> None:
    augmentation = {"rotationDegrees": "10"}
    records = start(data=DATA, training={"epochs": 1, "batchSize": 64}, augmentation=augmentation).wait()
    assert [record.exit_code for record in records] == [0, 0]
    page = (tmp_path / "output" / "run" / "report.html").read_text()
    wrong = wrong_of(result_of(tmp_path)["metrics"]["test_accuracy"])
    assert f"Answers of <code>model</code>, the float model, to the test samples. {wrong}" in page
    mistakes, augmented = page.partition('id="mistakes"')[2].split('id="augmentation"')
    assert mistakes.count("<img") == MOST_MISTAKES
    assert augmented.count("<img") == SAMPLES * (1 + VARIANTS)


@pytest.mark.long
def test_two_ranks_learn_eight_bits_with_their_zeros_after_training_in_bfloat16(start: Start) -> None:
    training = {**TRAINING, "precision": "Mixed"}
    pruning = {"finalSparsities": ["0.8"], "epochs": 2}
    quantization = {"mode": "Int8Aware", "epochs": 1, "calibrationSamples": 100}
    gang = start(data=DATA, training=training, compression={"pruning": pruning, "quantization": quantization})
    result = gang.wait()[0].result
    assert result is not None, gang.log(0)[-3000:]
    assert [artifact.name for artifact in result.artifacts] == ["model", "pruned-0.8-int8-aware", "dense", "pruned-0.8"]
    for artifact in result.artifacts:
        accuracy = {metric.name: float(metric.value) for metric in artifact.metrics}["accuracy"]
        assert accuracy > 0.88, artifact.name


def test_a_run_without_an_accepted_model_has_failed_and_keeps_them_all(start: Start, tmp_path: Path) -> None:
    compression = {**COMPRESSION, "pruning": {**COMPRESSION["pruning"], "epochs": 1}}
    blocks = {**BLOCKS, "training": {**TRAINING, "epochs": 1}, "compression": compression}
    blocks |= {"acceptance": {"minimum": "0.999", "maximumGzippedBytes": 100}}
    gang = start(**blocks)
    first = gang.wait()
    assert [record.exit_code for record in first] == [66, 0], gang.log(0)[-3000:]
    assert first[0].cause == "NotAccepted"
    assert "below acceptance.minimum 0.999" in first[0].message
    assert "more than acceptance.maximumGzippedBytes 100" in first[0].message
    assert first[0].result is not None
    assert [artifact.accepted for artifact in first[0].result.artifacts[1:3]] == [False, False]
    assert {"model", "report.html", "result.json", *(f"{name}.tflite" for name in FINALS)} <= set(files(tmp_path))
    again = start(attempt=2, **blocks)
    second = again.wait()
    assert (second[0].exit_code, second[0].message) == (66, first[0].message), "the report was lost, not the verdict"
    assert "epoch=1 " not in again.log(0)


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param("pruned to 0.5", id="pruning", marks=pytest.mark.long),
        pytest.param("pruned-0.5-int8: accuracy", id="quantizing", marks=pytest.mark.long),
    ],
)
def test_a_gang_that_is_killed_while_it_compresses_goes_on_there(start: Start, tmp_path: Path, moment: str) -> None:
    undisturbed = start(**BLOCKS, run={"namespace": "team", "name": "other", "uid": "uid-2"}).wait()[0].result
    killed = start(**BLOCKS)
    killed.wait_until(lambda: moment in killed.log(0))
    for worker in (0, 1):
        os.kill(killed.rank_pid(worker), signal.SIGKILL)
    assert {record.exit_code for record in killed.wait()} <= {69, 70}
    after = start(attempt=2, **BLOCKS)
    result = after.wait()[0].result
    assert result is not None
    assert undisturbed is not None
    assert [(artifact.name, artifact.sha256) for artifact in result.artifacts[1:]] == [
        (artifact.name, artifact.sha256) for artifact in undisturbed.artifacts[1:]
    ]
    assert "pruned to 0.5" in after.log(0)
    told = filter(None, map(curves.read, after.log(0).splitlines()))
    trained = [epoch for epoch in told if not epoch.is_repeated]
    assert len(trained) < 2 + 2 * 3, "no course that was finished is trained again"
