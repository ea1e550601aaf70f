"""From what a finished run knows to the values of its report."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from tests.builders import a_run
from trainingrun.api import Artifact, Result
from trainingrun.contract import AttemptConfig, RunIdentity
from trainingrun_trainer.acceptance import Judgement
from trainingrun_trainer.checkpoint import LoopState
from trainingrun_trainer.choosing.found import Found
from trainingrun_trainer.compression.made import Compressed
from trainingrun_trainer.output.volume import VolumePlace
from trainingrun_trainer.report.values import StageTime
from trainingrun_trainer.stages import report
from trainingrun_trainer.stages.report import Finished, report_data, write_report


def a_finished_run() -> Finished:
    spec = a_run().spec
    history = [{"loss": 1.0 / epoch, "accuracy": 0.5, "val_loss": 1.1 / epoch, "val_accuracy": 0.4} for epoch in (1, 2, 3)]
    notes = [{"epoch": epoch, "seconds": 2.5, "learningRate": 0.1 / epoch, "samplesPerSecond": 900} for epoch in (2, 3)]
    return Finished(
        config=AttemptConfig(
            run=RunIdentity(namespace="team", name="mnist", uid="1"),
            attempt=2,
            image="trainer:1",
            strategy="Horovod",
            replicas=2,
            processes_per_worker=1,
            data=spec.data,
            model=spec.model,
            training=spec.training,
            output=spec.output,
        ),
        found=(Found("training.batchSize", "64", "It was fastest.", ({"batchSize": 64, "samplesPerSecond": 900},)),),
        state=LoopState(epoch=3, best_epoch=2, history=history, notes=notes),
        result=Result(artifacts=(Artifact(name="model", uri="pvc://models/mnist/model", sha256="ab", size_bytes=1000),)),
        compressed=Compressed(),
        judgement=Judgement({}),
        search=(),
        metrics={"loss": 0.1, "val_loss": 0.2, "test_accuracy": 0.9},
        samples={"training": 700, "validation": 150, "test": 150},
        class_names=("zero", "one"),
        classes=2,
        data_sha256="cd",
        versions={"tensorflow": "2.21.0"},
        at=datetime(2026, 11, 25, 16, 4, tzinfo=UTC),
    )


def test_curves_hold_metrics_and_what_was_noted_beside_them() -> None:
    (curve,) = report_data(a_finished_run()).curves

    assert curve.kept == 2
    assert "learningRate" not in curve.epochs[0]
    assert next(iter(curve.epochs[1])) == "loss"
    assert curve.epochs[2] == {
        "learningRate": pytest.approx(0.1 / 3),
        "samplesPerSecond": 900,
        "loss": pytest.approx(1 / 3),
        "accuracy": 0.5,
        "val_loss": pytest.approx(1.1 / 3),
        "val_accuracy": 0.4,
    }


def test_what_was_judged_comes_first_and_has_a_name_that_people_use() -> None:
    metrics = report_data(a_finished_run()).metrics

    assert metrics == (("Test accuracy", 0.9), ("Validation loss", 0.2), ("Training loss", 0.1))


def test_without_test_samples_the_validation_samples_are_named() -> None:
    finished = a_finished_run()

    assert report_data(finished).judged_on == "test"
    assert report_data(replace(finished, samples={**finished.samples, "test": 0})).judged_on == "validation"


def test_the_facts_are_sentences() -> None:
    assert report_data(a_finished_run()).facts == (
        ("Data", "1,000 samples of 2 classes: 700 training, 150 validation, 150 test"),
        ("Ranks", "2: 2 workers of 1"),
        ("Epochs", "3"),
    )


def test_parameters_can_be_read_back_and_name_no_attempt() -> None:
    read = yaml.safe_load(report_data(a_finished_run()).parameters)

    assert read["training"] == json.loads(a_run().spec.training.model_dump_json(by_alias=True, exclude_none=True))
    assert {"run", "attempt", "round", "image"}.isdisjoint(read)


def test_versions_and_times_are_those_that_were_measured() -> None:
    data = report_data(a_finished_run())

    assert data.versions == (("tensorflow", "2.21.0"), ("image", "trainer:1"), ("data sha256", "cd"), ("model sha256", "ab"))
    assert data.times == (StageTime(name="Training", seconds=5.0),)


def test_the_page_is_written_beside_the_model(tmp_path: Path) -> None:
    write_report(VolumePlace(tmp_path, "pvc://models").join("report.html"), a_finished_run())

    assert "<h1>mnist</h1>" in (tmp_path / "report.html").read_text()


def test_a_report_that_cannot_be_made_costs_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_: object) -> str:
        raise ValueError("a defect")

    monkeypatch.setattr(report, "render", refuse)
    write_report(VolumePlace(tmp_path, "pvc://models").join("report.html"), a_finished_run())

    assert list(tmp_path.iterdir()) == []
    assert "the model is complete" in capsys.readouterr().out
