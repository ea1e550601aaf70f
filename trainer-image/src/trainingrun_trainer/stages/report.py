"""From what a finished run knows to its report, and the file beside the model."""

import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import yaml

from trainingrun.api import Result
from trainingrun.api.base import to_wire
from trainingrun.contract import AttemptConfig
from trainingrun_trainer.checkpoint import LoopState
from trainingrun_trainer.choosing.found import Found
from trainingrun_trainer.output.place import Place
from trainingrun_trainer.report import ReportData, render
from trainingrun_trainer.report.values import Artifact, Choice, Pair, StageCurve, StageTime

_PARTS = {"": "Training", "val_": "Validation", "test_": "Test"}
_NOT_PARAMETERS = {"run", "round", "attempt", "image", "output", "startTimeoutSeconds", "terminationGracePeriodSeconds"}
"""What a configuration says beside what the result follows from."""


@dataclass(frozen=True, kw_only=True)
class Finished:
    """What a run knows when it has published its model."""

    config: AttemptConfig
    """With the numbers that `Auto` has become."""
    found: tuple[Found, ...]
    state: LoopState
    result: Result
    metrics: Mapping[str, float]
    samples: Mapping[str, int]
    """Samples of each part: training, validation, test."""
    class_names: tuple[str, ...]
    classes: int
    data_sha256: str
    versions: Mapping[str, str]
    """Of packages."""
    at: datetime


def write_report(place: Place, finished: Finished) -> None:
    """Write the page. One that cannot be made costs a run its report, not its model: the log says why.

    Raises TrainerError (OutputFailed) when it cannot be written.
    """
    try:
        page = render(report_data(finished))
    except Exception:
        traceback.print_exc()
        print("the report could not be made: please report this as a defect of TrainingRun; the model is complete", flush=True)
        return
    place.write(page.encode())


def report_data(finished: Finished) -> ReportData:
    """The values of the report."""
    state, config = finished.state, finished.config
    epochs = tuple({**history, **_beside(note)} for note, history in _epochs(state))
    return ReportData(
        name=config.run.name,
        namespace=config.run.namespace,
        finished_at=finished.at.strftime("%Y-%m-%d %H:%M %Z"),
        judged_on="test" if finished.samples["test"] else "validation",
        facts=tuple(_facts(finished)),
        metrics=tuple((_title(name), value) for name, value in sorted(finished.metrics.items(), key=_judged_first)),
        curves=(StageCurve(name="training", epochs=epochs, kept=state.best_epoch or None),),
        artifacts=tuple(
            Artifact(name=artifact.name, size_bytes=artifact.size_bytes, gzipped_bytes=artifact.gzipped_bytes)
            for artifact in finished.result.artifacts
        ),
        class_names=finished.class_names,
        times=tuple(_times(state)),
        choices=tuple(
            Choice(name=found.name, value=found.value, reason=found.reason, measured=found.measured) for found in finished.found
        ),
        versions=tuple(_versions(finished)),
        parameters=yaml.safe_dump(_parameters(config), sort_keys=False, allow_unicode=True),
    )


def _epochs(state: LoopState) -> Iterator[tuple[Mapping[str, object], Mapping[str, float]]]:
    """The note of each finished epoch, an empty one where there is none, and its metrics."""
    notes = {note["epoch"]: note for note in state.notes}
    return ((notes.get(number, {}), history) for number, history in enumerate(state.history, start=1))


def _beside(note: Mapping[str, object]) -> dict[str, float]:
    """What is worth a curve beside the metrics."""
    values = {name: note.get(name) for name in ("learningRate", "samplesPerSecond")}
    return {name: float(value) for name, value in values.items() if isinstance(value, int | float)}


def _facts(finished: Finished) -> Iterator[Pair]:
    counts = ", ".join(f"{count:,} {name}" for name, count in finished.samples.items() if count)
    yield "Data", f"{sum(finished.samples.values()):,} samples of {finished.classes:,} classes: {counts}"
    workers, each = finished.config.replicas, finished.config.processes_per_worker
    yield "Ranks", f"{workers * each}: {workers} worker{'s' if workers > 1 else ''} of {each}"
    yield "Epochs", f"{finished.state.epoch:,}"


def _title(metric: str) -> str:
    """`val_loss` as `Validation loss`."""
    part, _, name = metric.rpartition("_")
    return f"{_PARTS.get(f'{part}_' if part else '', part)} {name}"


def _judged_first(metric: tuple[str, float]) -> tuple[int, str]:
    return (0 if metric[0].startswith("test_") else 1 if metric[0].startswith("val_") else 2, metric[0])


def _times(state: LoopState) -> Iterator[StageTime]:
    """Only what was measured: the epochs of the attempts that finished them."""
    seconds = [float(note["seconds"]) for note in state.notes]
    if seconds:
        yield StageTime(name="Training", seconds=sum(seconds))


def _versions(finished: Finished) -> Iterator[Pair]:
    yield from finished.versions.items()
    if finished.config.image:
        yield "image", finished.config.image
    yield "data sha256", finished.data_sha256
    yield from ((f"{artifact.name} sha256", artifact.sha256) for artifact in finished.result.artifacts)


def _parameters(config: AttemptConfig) -> dict[str, object]:
    return {name: value for name, value in to_wire(config).items() if name not in _NOT_PARAMETERS}
