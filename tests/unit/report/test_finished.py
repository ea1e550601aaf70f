"""From what a finished run knows to the values of its report."""

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.builders import a_run
from trainingrun.api import Artifact, Result, StrategyType
from trainingrun.contract import AttemptConfig, RunIdentity, Stage
from trainingrun_trainer.acceptance import Judgement
from trainingrun_trainer.artifacts.measurements import Latency, Measurements
from trainingrun_trainer.artifacts.predictions import Predictions
from trainingrun_trainer.checkpoint import LoopState
from trainingrun_trainer.choosing.found import Found
from trainingrun_trainer.compression.made import Compressed, FineTuning, Made
from trainingrun_trainer.data.left_out import LeftOut
from trainingrun_trainer.output.volume import VolumePlace
from trainingrun_trainer.report import ReportData
from trainingrun_trainer.report.values import Confusion, Pictures, StageTime
from trainingrun_trainer.stages.reporting import write
from trainingrun_trainer.stages.reporting.finished import Finished
from trainingrun_trainer.stages.reporting.write import report_data, write_report
from trainingrun_trainer.tuning.events import Event, Kind


def a_finished_run() -> Finished:
    spec = a_run().spec
    history = [{"loss": 1.0 / epoch, "accuracy": 0.5, "val_loss": 1.1 / epoch, "val_accuracy": 0.4} for epoch in (1, 2, 3)]
    notes = [
        {"epoch": epoch, "attempt": epoch - 1, "seconds": 2.5, "learningRate": 0.1 / epoch, "samplesPerSecond": 900}
        for epoch in (2, 3)
    ]
    return Finished(
        config=AttemptConfig(
            run=RunIdentity(namespace="team", name="mnist", uid="1"),
            attempt=2,
            image="trainer:1",
            strategy=StrategyType.HOROVOD,
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
        predictions=Predictions(Counter({(0, 0): 80, (1, 1): 55, (0, 1): 15})),
        compressed=Compressed(),
        judgement=Judgement({}),
        search=(),
        metrics={"loss": 0.1, "val_loss": 0.2, "test_accuracy": 0.9},
        samples={"training": 700, "validation": 150, "test": 150},
        class_names=("zero", "one"),
        classes=2,
        data_sha256="cd",
        seconds={Stage.STARTING: 1.5, Stage.TRAINING: 3.0},
        versions={"tensorflow": "2.21.0"},
        at=datetime(2026, 11, 25, 16, 4, tzinfo=UTC),
    )


def told(finished: Finished) -> ReportData:
    return report_data(finished, Pictures())


def test_curves_hold_metrics_and_what_was_noted_beside_them() -> None:
    (curve,) = told(a_finished_run()).curves

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
    metrics = told(a_finished_run()).metrics

    assert metrics == (("Test accuracy", 0.9), ("Validation loss", 0.2), ("Training loss", 0.1))


def test_without_test_samples_the_validation_samples_are_named() -> None:
    finished = a_finished_run()

    assert told(finished).judged_on == "test"
    assert told(replace(finished, samples={**finished.samples, "test": 0})).judged_on == "validation"


def test_the_facts_are_sentences() -> None:
    assert told(a_finished_run()).facts == (
        ("Data", "1,000 samples of 2 classes: 700 training, 150 validation, 150 test"),
        ("Ranks", "2: 2 workers of 1"),
        ("Epochs", "3"),
    )


def test_what_was_left_out_of_the_data_stands_below_it() -> None:
    left_out = (LeftOut("damaged images", 1200, ("a.jpg",)), LeftOut("files ending in .tif", 3, ()))
    facts = told(replace(a_finished_run(), left_out=left_out)).facts

    assert facts[1] == ("Left out", "1,200 damaged images; 3 files ending in .tif")


def test_parameters_can_be_read_back_and_name_no_attempt() -> None:
    read = yaml.safe_load(told(a_finished_run()).parameters)

    assert read["training"] == json.loads(a_run().spec.training.model_dump_json(by_alias=True, exclude_none=True))
    assert {"run", "attempt", "round", "image"}.isdisjoint(read)


def test_versions_are_those_of_the_run() -> None:
    versions = told(a_finished_run()).versions

    assert versions == (("tensorflow", "2.21.0"), ("image", "trainer:1"), ("data sha256", "cd"), ("model sha256", "ab"))


def test_epochs_that_earlier_attempts_have_finished_count_beside_the_time_of_this_one() -> None:
    assert told(a_finished_run()).times == (
        StageTime(name="Loading", seconds=1.5),
        StageTime(name="Training", seconds=3.0 + 2.5),
    )


def test_fine_tuning_of_an_earlier_attempt_counts_to_its_own_stage() -> None:
    tuned = FineTuning("pruned-0.9", Stage.PRUNING, LoopState(notes=[{"epoch": 1, "attempt": 1, "seconds": 4.0}]))
    finished = replace(a_finished_run(), seconds={Stage.QUANTIZING: 2.0}, compressed=Compressed(trainings=[tuned]))

    assert told(finished).times[-2:] == (StageTime(name="Pruning", seconds=4.0), StageTime(name="Quantizing", seconds=2.0))


def test_earlier_attempts_have_tuned_from_the_start_of_a_trial_to_their_last_word() -> None:
    finished = a_finished_run()
    moments: list[tuple[int, Kind, str]] = [
        (1, "started", "10:00:00"),
        (1, "started", "10:00:01"),
        (1, "completed", "10:00:30"),
        (2, "failed", "10:20:00"),  # lost by attempt 1
        (2, "started", "10:20:16"),
        (2, "pruned", "10:20:20"),
        (3, "failed", "11:00:00"),
        (4, "started", "11:30:00"),
        (4, "completed", "11:30:20"),
    ]
    search = [
        Event(number, kind, attempt=attempt, time=f"2026-11-25T{moment}.500+00:00")
        for number, (attempt, kind, moment) in enumerate(moments)
    ]
    config = finished.config.model_copy(update={"attempt": 4})
    times = told(replace(finished, config=config, search=search, seconds={Stage.TUNING: 21.0})).times

    assert times[0] == StageTime(name="Tuning", seconds=21.0 + 30.0 + 4.0)


def a_made(name: str, wrong: int) -> Made:
    predictions = Predictions(Counter({(1, 0): wrong}))
    measured = Measurements(accuracy=0.5, loss=1.0, size_bytes=9, gzipped_bytes=8, latency=Latency(1.0, 2.0))
    return Made(name, b"", measured, predictions, is_final=True)


@pytest.mark.parametrize(
    ("accepted", "answered_by", "counts"),
    [((), "model", {(0, 0): 80, (1, 1): 55, (0, 1): 15}), (("dense", "int8"), "int8", {(1, 0): 8})],
    ids=["none accepted", "two accepted"],
)
def test_the_answers_are_those_of_the_smallest_accepted_model_or_of_the_float_model(
    accepted: tuple[str, ...], answered_by: str, counts: dict[tuple[int, int], int]
) -> None:
    finished = a_finished_run()
    others = tuple(
        Artifact(name=name, uri=f"pvc://models/mnist/{name}.tflite", gzipped_bytes=size, accepted=name in accepted)
        for name, size in (("dense", 900), ("int8", 300))
    )
    compressed = Compressed(models=[a_made("dense", 7), a_made("int8", 8)])
    result = Result(artifacts=(*finished.result.artifacts, *others))
    data = told(replace(finished, result=result, compressed=compressed))

    assert (data.answered_by, data.is_shipped) == (answered_by, bool(accepted))
    assert data.confusion == Confusion(classes=2, counts=counts)


def test_every_artifact_names_its_file() -> None:
    data = told(replace(a_finished_run(), compressed=Compressed(models=[a_made("pruned-0.9-int8", 0)])))

    assert [artifact.file for artifact in data.artifacts] == ["model/", "pruned-0.9-int8.tflite"]


def test_the_page_is_written_beside_the_model(tmp_path: Path) -> None:
    write_report(VolumePlace(tmp_path, "pvc://models").join("report.html"), a_finished_run(), draw=Pictures)

    assert "<h1>mnist</h1>" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize("broken", ["page", "pictures"])
def test_a_report_that_cannot_be_made_costs_no_run(
    broken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> Any:
        raise ValueError("a defect")

    if broken == "page":
        monkeypatch.setattr(write, "render", refuse)
    write_report(
        VolumePlace(tmp_path, "pvc://models").join("report.html"),
        a_finished_run(),
        draw=Pictures if broken == "page" else refuse,
    )

    assert list(tmp_path.iterdir()) == []
    assert "the model is complete" in capsys.readouterr().out
