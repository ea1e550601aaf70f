"""From what a finished run knows to its report, and the file beside the model."""

import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import yaml

from trainingrun import api
from trainingrun.api import AcceptanceMetric, Result, number
from trainingrun.api.base import to_wire
from trainingrun.contract import AttemptConfig, Stage
from trainingrun_trainer.acceptance import Judgement
from trainingrun_trainer.checkpoint import LoopState
from trainingrun_trainer.choosing.found import Found
from trainingrun_trainer.compression.made import Compressed
from trainingrun_trainer.output.place import Place
from trainingrun_trainer.report import ReportData, render
from trainingrun_trainer.report.values import Artifact, Check, Choice, Pair, StageCurve, StageTime, Verdict
from trainingrun_trainer.stages.report_search import search_values
from trainingrun_trainer.tuning.events import Event

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
    compressed: Compressed
    judgement: Judgement
    search: Sequence[Event]
    """What has happened in the search, if there was one."""
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
    config = finished.config
    return ReportData(
        name=config.run.name,
        namespace=config.run.namespace,
        finished_at=finished.at.strftime("%Y-%m-%d %H:%M %Z"),
        judged_on="test" if finished.samples["test"] else "validation",
        facts=tuple(_facts(finished)),
        metrics=tuple((_title(name), value) for name, value in sorted(finished.metrics.items(), key=_judged_first)),
        verdict=_verdict(finished),
        tuning=search_values(config.tuning, finished.search) if config.tuning is not None else None,
        curves=tuple(_curves(finished)),
        artifacts=tuple(_artifacts(finished)),
        class_names=finished.class_names,
        times=tuple(_times(finished)),
        choices=tuple(
            Choice(name=found.name, value=found.value, reason=found.reason, measured=found.measured) for found in finished.found
        ),
        versions=tuple(_versions(finished)),
        parameters=yaml.safe_dump(_parameters(config), sort_keys=False, allow_unicode=True),
    )


def _curves(finished: Finished) -> Iterator[StageCurve]:
    """Training, and each fine-tuning, of which the last epoch is kept."""
    yield _curve("training", finished.state)
    yield from (_curve(training.name, training.state) for training in finished.compressed.trainings)


def _curve(name: str, state: LoopState) -> StageCurve:
    epochs = tuple({**history, **_beside(note)} for note, history in _epochs(state))
    return StageCurve(name=name, epochs=epochs, kept=state.best_epoch or None)


def _artifacts(finished: Finished) -> Iterator[Artifact]:
    """The SavedModel and all models of compression, also those that the result has no room for."""
    model = finished.result.artifacts[0]
    values = {metric.name: float(metric.value) for metric in model.metrics}
    yield Artifact(
        name=model.name,
        size_bytes=model.size_bytes,
        gzipped_bytes=model.gzipped_bytes,
        accuracy=values.get("accuracy"),
        loss=values.get("loss"),
        latency_milliseconds=values.get("latencyMilliseconds"),
        latency_p95_milliseconds=values.get("latencyP95Milliseconds"),
        accepted=model.accepted,
        reasons=finished.judgement.missed.get(model.name, ()),
    )
    for made in finished.compressed.models:
        measured, pruned = made.measured, made.pruned
        yield Artifact(
            name=made.name,
            size_bytes=measured.size_bytes,
            gzipped_bytes=measured.gzipped_bytes,
            accuracy=measured.accuracy,
            loss=measured.loss,
            latency_milliseconds=measured.latency.median,
            latency_p95_milliseconds=measured.latency.p95,
            sparsity=None if pruned is None else pruned.share,
            layers=() if pruned is None else tuple((layer.name, layer.sparsity) for layer in pruned.layers),
            accepted=finished.judgement.accepts(made.name),
            reasons=finished.judgement.missed.get(made.name, ()),
        )


def _verdict(finished: Finished) -> Verdict | None:
    """The conditions of `spec.acceptance` on the model that is shipped, or on the best of those that are not."""
    acceptance, result = finished.config.acceptance, finished.result
    if acceptance is None:
        return None
    judged = [artifact for artifact in result.artifacts if artifact.accepted is not None]
    shown = result.best or max(judged, key=lambda artifact: _value(artifact, "accuracy"))
    metric = str(acceptance.metric)
    value, floats = _value(shown, metric), _value(result.artifacts[0], metric)
    size = float(shown.gzipped_bytes or 0)
    checks: list[Check] = []
    if acceptance.minimum is not None:
        checks.append(_check(metric, value, number(acceptance.minimum), is_maximum=False))
    if acceptance.maximum is not None:
        checks.append(_check(metric, value, number(acceptance.maximum), is_maximum=True))
    if acceptance.maximum_degradation is not None:
        lost = floats - value if acceptance.metric is AcceptanceMetric.ACCURACY else value - floats
        checks.append(_check("degradation", lost, number(acceptance.maximum_degradation), is_maximum=True))
    if acceptance.maximum_gzipped_bytes is not None:
        limit = float(acceptance.maximum_gzipped_bytes)
        checks.append(_check("gzipped size", size, limit, is_maximum=True, is_size=True))
    return Verdict(accepted=result.best is not None, artifact=shown.name, checks=tuple(checks))


def _check(name: str, value: float, bound: float, *, is_maximum: bool, is_size: bool = False) -> Check:
    holds = value <= bound if is_maximum else value >= bound
    return Check(name=name, bound=bound, value=value, is_maximum=is_maximum, holds=holds, is_size=is_size)


def _value(artifact: api.Artifact, metric: str) -> float:
    return next((float(each.value) for each in artifact.metrics if each.name == metric), float("nan"))


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


def _times(finished: Finished) -> Iterator[StageTime]:
    """Only what was measured: the epochs of the attempts that finished them."""
    stages = {Stage.TRAINING: [finished.state]}
    for training in finished.compressed.trainings:
        stages.setdefault(training.stage, []).append(training.state)
    for stage, states in stages.items():
        seconds = [float(note["seconds"]) for state in states for note in state.notes]
        if seconds:
            yield StageTime(name=stage, seconds=sum(seconds))


def _versions(finished: Finished) -> Iterator[Pair]:
    yield from finished.versions.items()
    if finished.config.image:
        yield "image", finished.config.image
    yield "data sha256", finished.data_sha256
    yield from ((f"{artifact.name} sha256", artifact.sha256) for artifact in finished.result.artifacts)


def _parameters(config: AttemptConfig) -> dict[str, object]:
    return {name: value for name, value in to_wire(config).items() if name not in _NOT_PARAMETERS}
